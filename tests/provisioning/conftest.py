"""Sagas of scripted steps, and a journal of their steps' calls."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from provisioning.models import SagaRun
from provisioning.states import SAGA_LIFECYCLE, STEP_LIFECYCLE
from tests.kernel.lifecycles import forbid_illegal_moves
from tests.provisioning import scripted_workflow
from tests.provisioning.sagas import start

__all__ = ["scripted_workflow"]


@pytest.fixture(scope="package", autouse=True)
def _listed_moves_only(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """For this suite, the database itself refuses moves that the life cycles don't list."""
    tables = {"saga_runs": SAGA_LIFECYCLE, "saga_step_results": STEP_LIFECYCLE}
    with django_db_blocker.unblock():
        for table, lifecycle in tables.items():
            forbid_illegal_moves(table, lifecycle.field, lifecycle.moves)
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table, lifecycle in tables.items():
            cursor.execute(f"DROP TRIGGER forbid_illegal_moves_of_{lifecycle.field} ON {table}")


class Scripts:
    """Starts scripted sagas: `scripts("act", "act", do_1=["wait=0.1", "fail"], undo_0=["retry"])`."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal

    def __call__(
        self, *steps: str, subjects: Sequence[str] = (), key: str | None = None, **script: Sequence[str]
    ) -> SagaRun:
        return self.of(steps, script, subjects=subjects, key=key)

    def of(
        self,
        steps: Sequence[str],
        script: Mapping[str, Sequence[str]],
        *,
        subjects: Sequence[str] = (),
        key: str | None = None,
    ) -> SagaRun:
        """The same for a script that is made up elsewhere."""
        return start(
            "scripted",
            key=key,
            step_names=list(steps),
            journal=str(self.journal),
            subject_names=list(subjects),
            script={name.replace("_", ":"): list(words) for name, words in script.items()},
        )

    def calls(self, saga: SagaRun) -> list[str]:
        """Return the calls of this saga's steps, in order, as `do:0` or `undo:0`."""
        if not self.journal.exists():
            return []
        lines = [line.partition(" ") for line in self.journal.read_text().splitlines()]
        return [call for saga_id, _, call in lines if saga_id == str(saga.pk)]


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    return Scripts(tmp_path / "journal")
