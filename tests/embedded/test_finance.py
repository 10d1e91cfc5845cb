"""The stub of the finance service that bin/run starts."""

import time
from pathlib import Path

import jwt
import psutil
import pytest
import requests

from arcadia_cloud.embedded.simulator import run_finance_stub
from arcadia_cloud.embedded.state import missing_variables
from arcadia_cloud.finance.client import IMPORT_PATH


def _status(variables: dict[str, str], secret: str) -> int:
    """Of a push without a body, signed with this secret: 422 where the token is taken."""
    claims = {"aud": "finance", "sub": "s", "typ": "access", "roles": ["admin"], "iat": int(time.time())}
    token = jwt.encode({**claims, "exp": int(time.time()) + 60}, secret, algorithm="HS512")
    headers = {"Authorization": f"Bearer {token}"}
    url = variables["SKYAI_FINANCE_URL"] + IMPORT_PATH
    return requests.post(url, headers=headers, timeout=20).status_code


@pytest.mark.parametrize("given", [{}, {"SKYAI_FINANCE_JWT_SECRET": "theirs" * 12}])
def test_it_takes_tokens_of_the_secret_that_is_given_or_of_its_own(
    state_folder: Path, given: dict[str, str]
) -> None:
    with run_finance_stub(state_folder, given) as (children, variables):
        secret = variables["SKYAI_FINANCE_JWT_SECRET"]
        assert given.get("SKYAI_FINANCE_JWT_SECRET", secret) == secret
        assert _status(variables, secret) == 422
        assert _status(variables, "wrong" * 13) == 401
        pids = [child.process.pid for child in children]
    assert not any(map(psutil.pid_exists, pids))
    assert (state_folder / "finance.sqlite3").exists()


def test_tokens_signed_with_a_real_secret_are_not_sent_to_the_stub_of_a_stack_that_is_up() -> None:
    stack = {"SKYAI_FINANCE_URL": "http://127.0.0.1:1", "SKYAI_FINANCE_JWT_SECRET": "simulated", "X": "y"}
    assert missing_variables(stack, {}) == stack
    assert missing_variables(stack, {"SKYAI_FINANCE_JWT_SECRET": "real"}) == {"X": "y"}
    assert missing_variables(stack, {"SKYAI_FINANCE_URL_FILE": "/run/secrets/url"}) == {"X": "y"}
