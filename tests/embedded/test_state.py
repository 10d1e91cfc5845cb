"""The stack that is up, as other commands find it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from arcadia_cloud.embedded.folder_lock import lock_folder
from arcadia_cloud.embedded.run import welcome_text
from arcadia_cloud.embedded.state import DEFAULT_FOLDER, PROJECT, missing_variables, write_stack_file

STACK = {
    "DATABASE_URL": "postgresql://stack@127.0.0.1:9/arcadia",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "DO_API_URL": "http://127.0.0.1:9",
    "DO_API_TOKEN": "dop_v1_" + "5" * 64,
}
REAL = "dop_v1_" + "a" * 64
SETTINGS = """
import os
from arcadia_cloud import settings
print(settings.DO_API_URL, os.environ.get("DO_API_TOKEN", "none"), settings.REDIS_URL)
"""


def in_terminal(command: list[str], **variables: str) -> str:
    """Return what a command prints in a shell that has these variables alone."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("shell", "taken"),
    [
        ({}, set(STACK)),
        ({"DO_API_TOKEN": ""}, set(STACK)),
        ({"REDIS_URL": "redis://mine"}, {"DATABASE_URL", "DO_API_URL", "DO_API_TOKEN"}),
        ({"DATABASE_URL_FILE": "/run/secrets/url"}, {"REDIS_URL", "DO_API_URL", "DO_API_TOKEN"}),
        ({"DO_API_TOKEN": REAL}, {"DATABASE_URL", "REDIS_URL"}),
        ({"DO_API_TOKEN_FILE": "/run/secrets/token"}, {"DATABASE_URL", "REDIS_URL"}),
        ({"DO_API_TOKEN_BILLING": REAL}, {"DATABASE_URL", "REDIS_URL"}),
        ({"DO_API_URL": "http://mock"}, {"DATABASE_URL", "REDIS_URL"}),
    ],
)
def test_the_address_and_the_tokens_come_from_one_place(shell: dict[str, str], taken: set[str]) -> None:
    assert missing_variables(STACK, shell) == {name: STACK[name] for name in taken}


@pytest.mark.parametrize(
    ("shell", "is_taken"),
    [({}, True), ({"DO_API_TOKEN": REAL}, False), ({"ARCADIA_SAGA_CLOCK_SLACK_SECONDS": "5"}, False)],
)
def test_how_far_a_simulators_calendar_may_be_holds_for_the_simulator_alone(
    shell: dict[str, str], is_taken: bool
) -> None:
    stack = {**STACK, "ARCADIA_SAGA_CLOCK_SLACK_SECONDS": "1000000000"}
    taken = missing_variables(stack, shell)
    assert ("ARCADIA_SAGA_CLOCK_SLACK_SECONDS" in taken) is is_taken
    assert ("DO_API_URL" in taken) is ("DO_API_TOKEN" not in shell), "it decides nothing for the others"


def test_a_real_token_is_not_sent_to_the_simulator_of_a_stack_that_is_up(state_folder: Path) -> None:
    look = [sys.executable, "-c", SETTINGS]
    write_stack_file(state_folder, STACK)
    with lock_folder(state_folder):
        simulated = in_terminal(look, ARCADIA_STATE_DIR=str(state_folder))
        real = in_terminal(look, ARCADIA_STATE_DIR=str(state_folder), DO_API_TOKEN=REAL)
    assert simulated == f"{STACK['DO_API_URL']} {STACK['DO_API_TOKEN']} {STACK['REDIS_URL']}"
    assert real == f"https://api.digitalocean.com {REAL} {STACK['REDIS_URL']}"


def token_line(folder: Path) -> str:
    output = welcome_text("http://127.0.0.1:4005", folder, {"ARCADIA_OPERATOR_PASSWORD": "-"})
    [line] = [line for line in output.splitlines() if "issue_token" in line]
    return line.removeprefix("  token     ")


def test_the_line_that_makes_a_token_works_wherever_the_stack_keeps_its_state(state_folder: Path) -> None:
    folder = state_folder / "it's elsewhere"
    folder.mkdir()
    write_stack_file(folder, STACK)
    with lock_folder(folder):
        token = in_terminal(["sh", "-c", token_line(folder)])
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token), token
    assert token_line(DEFAULT_FOLDER) == ".venv/bin/python manage.py issue_token --role platform_admin"


def test_the_documents_know_every_variable_that_settings_and_bin_run_read() -> None:
    sources = [
        PROJECT / "arcadia_cloud" / "settings.py",
        *(PROJECT / "arcadia_cloud" / "embedded").glob("*.py"),
    ]
    read = {
        name
        for source in sources
        for name in re.findall(
            r"""(?:env\.\w+|environ\.get|environment\.get|given)\((?:\w+(?:\.\w+)?, )?"([A-Z][A-Z_]+)\"""",
            source.read_text(encoding="utf-8"),
        )
    }
    assert len(read) >= 30
    texts = [(PROJECT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/settings.md")]
    assert [
        name for name in sorted(read) if f"`{name}`" not in "".join(texts) and name != "ARCADIA_ENV"
    ] == []
