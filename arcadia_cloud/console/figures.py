"""The home page's figures: a number each, with the list behind it."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode

from provisioning.admin.filters import LIVE_ONES
from provisioning.engine.backward import UNDO_FAILED
from provisioning.queries import Standing
from provisioning.states import SagaStatus


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, what stands beside it, and the list behind it. `tone` colours the number."""

    name: str
    value: str
    beside: str
    href: str
    tone: str = ""


def saga_figures(sagas: Standing) -> list[Figure]:
    """What goes on, and what needs a hand."""
    undo_failures = f"{reverse('admin:kernel_alert_changelist')}?{urlencode({'q': UNDO_FAILED})}"
    return [
        Figure("Live sagas", f"{sagas.live:,}", _pace(sagas), _sagas(LIVE_ONES), _tone(sagas)),
        Figure(
            "Waiting sagas",
            f"{sagas.waiting:,}",
            "each for its time or a cap" if sagas.waiting else "none waits",
            _sagas(SagaStatus.WAITING),
        ),
        Figure(
            "Dead letters",
            f"{sagas.dead_letters:,}",
            "need a retry or a cancel" if sagas.dead_letters else "none",
            _sagas(SagaStatus.FAILED),
            "bad" if sagas.dead_letters else "good",
        ),
        Figure(
            "Undo failures",
            f"{sagas.undo_failures:,}",
            "left something behind" if sagas.undo_failures else "none is open",
            undo_failures,
            "bad" if sagas.undo_failures else "good",
        ),
    ]


def _pace(sagas: Standing) -> str:
    if sagas.brake.paused:
        return "paused"
    return "under way" if sagas.live else "nothing goes on"


def _tone(sagas: Standing) -> str:
    return "warning" if sagas.brake.paused else ""


def _sagas(status: str) -> str:
    return f"{reverse('admin:provisioning_sagarun_changelist')}?{urlencode({'status': status})}"
