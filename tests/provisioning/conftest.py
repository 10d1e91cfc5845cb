"""Sagas of scripted steps, and a journal of their steps' calls."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from provisioning.models import SagaRun
from tests.provisioning import scripted_workflow
from tests.provisioning.sagas import started

__all__ = ["scripted_workflow"]


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
        return started(
            "scripted",
            key=key,
            step_names=list(steps),
            journal=str(self.journal),
            subject_names=list(subjects),
            script={name.replace("_", ":"): list(words) for name, words in script.items()},
        )

    def calls(self, saga: SagaRun) -> list[str]:
        """What this saga's steps were called for, in order, as `do:0` or `undo:0`."""
        if not self.journal.exists():
            return []
        lines = [line.partition(" ") for line in self.journal.read_text().splitlines()]
        return [call for saga_id, _, call in lines if saga_id == str(saga.pk)]


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    return Scripts(tmp_path / "journal")
