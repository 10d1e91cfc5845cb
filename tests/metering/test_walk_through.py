"""The usage part of docs/api.md, run with curl against a server: events in, usage and quote out."""

import shutil
from datetime import UTC, datetime

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from catalog.services import seed_catalog
from deployments.services import create_deployment, create_subscription
from tests.access import token_of
from tests.walkthrough import differences, scenes

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")


@needs_curl
def test_the_page_shows_what_the_server_answers(transactional_db: None, live_server: LiveServer) -> None:
    seed_catalog(at=datetime(2026, 6, 1, tzinfo=UTC))
    now = timezone.now()
    shop = create_deployment(tenant_id="acme", slug="shop", actor="a test", at=now)
    create_subscription(deployment_pk=shop.pk, plan_code="studio", actor="a test", at=now)
    variables = {
        "base": live_server.url, "tenant": token_of("member", tenant="acme"), "sender": token_of("metering"),
        "deployment": f"/api/v1/deployments/{shop.pk}", "id": str(shop.pk),
    }  # fmt: skip
    played = 0
    for scene in scenes("Usage"):
        [answer] = scene.answers(**variables)
        assert scene.shown is not None
        assert differences(scene.shown, answer) == []
        played += 1
    assert played == 3
