"""The section of docs/api.md from a token to a quote, run in curl and in Python against a server."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from pytest_django.live_server_helper import LiveServer

from catalog.services import seed_catalog
from deployments.models import Deployment
from metering.models import UsageRecord
from tests.access import token_of
from tests.walkthrough import differences, program, scenes

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")


@needs_curl
def test_a_developer_comes_from_a_token_to_a_quote(transactional_db: None, live_server: LiveServer) -> None:
    seed_catalog(at=datetime(2026, 6, 1, tzinfo=UTC))
    variables = {
        "base": live_server.url,
        "tenant": token_of("member", tenant="acme"),
        "sender": token_of("metering"),
    }
    answers = []
    for scene in scenes("From a token to a quote"):
        answers += scene.answers(**variables)
        assert scene.shown is not None
        assert differences(scene.shown, answers[-1]) == []
    plan, estimate, subscribed, taken, usage, quote = answers
    assert subscribed["subscription"]["plan_version"] == plan["version"]["number"]
    assert taken == {"received": 1, "counted": 1, "duplicates": 0}
    assert usage["usage"] == [{"kind": "llm_tokens", "qty": "2500"}]
    assert quote["quote"]["total_cents"] == estimate["total_cents"]
    assert Deployment.objects.get().slug == "blog"
    assert UsageRecord.objects.get().qty == 2500


def test_the_python_of_the_page_comes_to_the_same_quote(
    transactional_db: None, live_server: LiveServer
) -> None:
    seed_catalog(at=datetime(2026, 6, 1, tzinfo=UTC))
    tokens = {"tenant": token_of("member", tenant="acme"), "sender": token_of("metering")}
    heading = "From a token to a quote"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program(heading, "python")],
        env={"base": live_server.url, "no_proxy": "*", **tokens},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert differences(scenes(heading)[-1].shown, json.loads(ran.stdout)) == []
    assert UsageRecord.objects.get().qty == 2500
