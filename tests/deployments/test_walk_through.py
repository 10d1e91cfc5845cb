"""The deployments' part of docs/api.md, run with curl against a server as a tenant's developer would."""

import shutil
from datetime import UTC, datetime

import pytest
from pytest_django.live_server_helper import LiveServer

from catalog.services import seed_catalog
from tests.access import token_of
from tests.walkthrough import differences, scenes

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")


@needs_curl
def test_the_page_shows_what_the_server_answers(transactional_db: None, live_server: LiveServer) -> None:
    seed_catalog(at=datetime(2026, 6, 1, tzinfo=UTC))
    variables = {"base": live_server.url, "tenant": token_of("member", tenant="acme", subject="developer")}
    played = 0
    for scene in scenes("Deployments"):
        answers = scene.answers(**variables)
        for answer in answers:
            variables.setdefault("deployment", f"/api/v1/deployments/{answer['id']}")
        if scene.shown is not None:
            misses = [differences(scene.shown, answer) for answer in answers]
            assert [] in misses, misses
        played += len(answers)
    assert played == 6
