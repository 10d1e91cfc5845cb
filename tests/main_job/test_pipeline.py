"""The main job's stages: one that fails is reported, and the others run all the same."""

from collections.abc import Iterator

import pytest
from django.db import OperationalError

from arcadia_cloud.digitalocean.errors import ProviderUnavailable
from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.main_job.pipeline import ReportProgress, Stage, StageResult, run_stages


def good(_report: ReportProgress) -> Iterator[StageResult]:
    yield StageResult("good", {"seen": 1}, 0.1)


def partly(_report: ReportProgress) -> Iterator[StageResult]:
    yield StageResult("sync droplet", {}, 0.1, "503")
    yield StageResult("sync volume", {"seen": 2}, 0.1)


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        (ProviderUnavailable("no answer"), "no answer"),
        (Conflict("it is there already"), "it is there already"),
        (OperationalError("the connection is lost\nDETAIL"), "the database: the connection is lost"),
    ],
)
def test_a_stage_that_fails_stops_no_other(refusal: Exception, text: str) -> None:
    def failing(_report: ReportProgress) -> Iterator[StageResult]:
        yield StageResult("begun", {}, 0.1)
        raise refusal

    stages = [Stage("one", failing), Stage("sync", partly), Stage("last", good)]
    results = list(run_stages(stages, lambda _text: None))
    assert [(result.stage, result.status, result.error) for result in results] == [
        ("begun", "ok", ""),
        ("one", "failed", text),
        ("sync droplet", "failed", "503"),
        ("sync volume", "ok", ""),
        ("good", "ok", ""),
    ]
