"""Production as compose.yaml and the Dockerfile describe it."""

import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import connection

from arcadia_cloud.digitalocean.credentials import api_token
from arcadia_cloud.embedded.stack import commands
from arcadia_cloud.embedded.state import PROJECT, TOKEN_VARIABLES
from arcadia_cloud.http.web_logger import WebLogger
from arcadia_cloud.http.web_worker import WebWorker
from arcadia_cloud.main_job.management.commands.migrate import LOCK_KEY

COMPOSE = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))
OURS = ("migrate", "web", "worker-provisioning", "worker-sync", "worker-billing", "beat")


def test_no_key_stands_twice() -> None:
    # Docker refuses such a file; PyYAML takes the last one without a word.
    pending = [yaml.compose((PROJECT / "compose.yaml").read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if key.value != "<<"]
            assert len(keys) == len(set(keys)), f"twice at line {node.start_mark.line + 1}: {keys}"
            pending += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value


@pytest.mark.parametrize("name", OURS)
def test_every_process_may_have_tokens_of_its_purpose_and_finance(name: str) -> None:
    environment = COMPOSE["services"][name]["environment"]
    for variable in (*TOKEN_VARIABLES, "SKYAI_FINANCE_URL", "SKYAI_FINANCE_JWT_SECRET"):
        assert variable in environment or f"{variable}_FILE" in environment


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_service_has_limits_of_memory_and_log(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["mem_limit"]
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@pytest.mark.parametrize("name", [name for name in COMPOSE["services"] if name != "migrate"])
def test_every_service_that_stays_has_a_health_check(name: str) -> None:
    check = COMPOSE["services"][name]["healthcheck"]
    assert check["test"]
    assert "$$HOSTNAME" not in str(check["test"])  # not set in what exec starts


def test_web_can_be_scaled_to_as_many_as_there_are_ports() -> None:
    (port,) = COMPOSE["services"]["web"]["ports"]
    assert re.fullmatch(r"127\.0\.0\.1:\$\{ARCADIA_PORTS:-4005\}:4005", port)
    assert "container_name" not in COMPOSE["services"]["web"]


@pytest.mark.parametrize("name", [name for name in OURS if name.startswith("worker-")])
def test_a_workers_health_check_asks_the_worker_that_its_command_starts(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["environment"]["WORKER"] == name.removeprefix("worker-")
    assert "--hostname $$WORKER@%h " in service["command"][-1]
    assert service["healthcheck"]["test"][-1].endswith("--destination $$WORKER@$$(hostname)")


@pytest.mark.parametrize("name", OURS)
def test_a_secret_that_is_replaced_by_a_rename_reaches_the_service(name: str) -> None:
    service = COMPOSE["services"][name]
    assert "secrets" not in service, "a file that is mounted by itself stays the old one"
    mounted = dict(volume.split(":")[:2] for volume in service["volumes"])
    files = [
        value for key, value in service["environment"].items() if key.endswith("_FILE") and "run" in value
    ]
    assert files
    assert mounted["./secrets"] == "/run/secrets"
    assert {str(Path(file).parent) for file in files} == {"/run/secrets"}


@pytest.mark.parametrize("command", [(PROJECT / "Dockerfile").read_text(), " ".join(commands(4005)["web"])])
def test_the_web_server_has_threads_for_health_checks_alone(command: str) -> None:
    assert f"{WebWorker.__module__}.{WebWorker.__qualname__}" in command


@pytest.mark.parametrize("command", [(PROJECT / "Dockerfile").read_text(), " ".join(commands(4005)["web"])])
def test_the_web_server_logs_its_own_lines_like_all_others(command: str) -> None:
    assert f"{WebLogger.__module__}.{WebLogger.__qualname__}" in command


@pytest.mark.parametrize("name", [name for name in OURS if name.startswith("worker-") or name == "beat"])
def test_celery_starts_without_its_banner_which_is_no_json(name: str) -> None:
    assert "celery --quiet -A arcadia_cloud" in shlex.join(COMPOSE["services"][name]["command"])


@pytest.mark.parametrize("name", [name for name in OURS if name.startswith("worker-")])
def test_a_worker_of_production_has_the_options_of_the_one_that_is_tested(name: str) -> None:
    tested = [word for word in commands(4005)["worker-provisioning"] if word.startswith("--without-")]
    assert tested
    assert set(tested) <= set(COMPOSE["services"][name]["command"][-1].split())


def test_the_image_has_the_python_that_is_tested() -> None:
    versions = set(re.findall(r"FROM python:([0-9.]+)-", (PROJECT / "Dockerfile").read_text()))
    assert versions == {f"{sys.version_info.major}.{sys.version_info.minor}"}


def test_the_image_collects_the_static_files_with_the_settings_of_its_build() -> None:
    # The build is no test's: what production refuses at start would stop it without anybody seeing it here.
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    (step,) = [line.removeprefix("RUN ") for line in text.splitlines() if "collectstatic" in line]
    words = shlex.split(step)
    variables = dict(word.split("=", 1) for word in words[: words.index("python")])
    ended = subprocess.run(
        [sys.executable, *words[words.index("python") + 1 :], "--dry-run"],
        env={"PATH": os.environ["PATH"], **variables},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "static files" in ended.stdout


def test_every_package_of_ours_goes_into_the_image() -> None:
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]
    ours = set(contracts["root_packages"]) - {"simulator"}
    copied = set(re.findall(r"^COPY (\w+) ", (PROJECT / "Dockerfile").read_text(), re.MULTILINE))
    sent = set(re.findall(r"^!(\w+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE))
    assert ours <= copied
    assert copied <= sent


def test_an_empty_token_of_a_purpose_leaves_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DO_API_TOKEN_BILLING", "")
    monkeypatch.setenv("DO_API_TOKEN", "dop_v1_" + "ab" * 32)
    assert api_token("BILLING") == "dop_v1_" + "ab" * 32


@pytest.mark.django_db(transaction=True)
def test_of_two_migrations_the_second_waits_for_the_first() -> None:
    ended = threading.Event()

    def migrate() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'")
        call_command("migrate", verbosity=0, interactive=False)
        connection.close()
        ended.set()

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        second = threading.Thread(target=migrate)
        second.start()
        assert not ended.wait(2)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
    second.join(60)
    assert ended.is_set()


def test_only_migrations_go_past_pgbouncer() -> None:
    flags = {name: COMPOSE["services"][name]["environment"]["ARCADIA_DB_BEHIND_PGBOUNCER"] for name in OURS}
    assert flags.pop("migrate") == "false"
    assert set(flags.values()) == {"${ARCADIA_DB_BEHIND_PGBOUNCER:-false}"}
    address = COMPOSE["services"]["migrate"]["environment"]["DATABASE_URL_FILE"]
    assert address == "/run/secrets/${ARCADIA_MIGRATION_URL_SECRET:-database_url}"


@pytest.mark.django_db
def test_migrations_are_refused_behind_pgbouncer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    with pytest.raises(CommandError, match="PostgreSQL itself"):
        call_command("migrate", verbosity=0, interactive=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,)
