"""Clients generated from the schema: they compile, without a complaint, and talk to the server."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from pytest_django.live_server_helper import LiveServer

from catalog.services import seed_catalog
from tests.access import token_of
from tests.gate import PROJECT
from tests.walkthrough import differences, program, scenes

UV: Final = PROJECT / ".venv" / "bin" / "uv"
NPM: Final = shutil.which("npm")
NODE: Final = shutil.which("node")
PYTHON_GENERATOR: Final = ["openapi-python-client==0.29.1", "ruff==0.17.6"]
TYPESCRIPT_TOOLS: Final = ["openapi-typescript@7.13.0", "typescript@5.9.3", "@types/node@20.19.0"]
SCHEMA: Final = PROJECT / "docs" / "openapi.yaml"
COMPILER_OPTIONS: Final = {
    "strict": True, "noUncheckedIndexedAccess": False, "module": "nodenext", "target": "es2022",
    "types": ["node"], "outDir": "out", "skipLibCheck": False,
}  # fmt: skip
CALL: Final = """
import os
from client import AuthenticatedClient
from client.api.catalog import catalog_plans_retrieve
from client.api.deployments import deployments_create
from client.models import DeploymentCreateRequest, Plan, Problem

client = AuthenticatedClient(base_url=os.environ["base"], token=os.environ["tenant"])
plan = catalog_plans_retrieve.sync("studio", client=client)
assert isinstance(plan, Plan), plan
made = deployments_create.sync(client=client, body=DeploymentCreateRequest(slug="blog"))
again = deployments_create.sync(client=client, body=DeploymentCreateRequest(slug="blog"))
assert isinstance(again, Problem) and again.status == 409, again
print(plan.version.base_price_cents, made.slug, made.created_at.isoformat())
"""


@pytest.fixture(autouse=True)
def matrix_only(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--matrix"):
        pytest.skip("packages are installed for it: bin/test --matrix")


@pytest.fixture
def variables(transactional_db: None, live_server: LiveServer) -> dict[str, str]:
    """A seeded server, and what a client needs to know of it."""
    seed_catalog(at=datetime(2026, 6, 1, tzinfo=UTC))
    tokens = {"tenant": token_of("member", tenant="acme"), "sender": token_of("metering")}
    return {"base": live_server.url, "no_proxy": "*", **tokens}


def run(command: list[Any], folder: Path, **variables: str) -> str:
    """Run a command there; return all that it printed. Fails with it unless it succeeds."""
    ran = subprocess.run(
        [str(part) for part in command], cwd=folder, env={**os.environ, **variables},
        text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_a_python_client_is_made_and_called(tmp_path: Path, variables: dict[str, str]) -> None:
    run([UV, "venv", "--quiet", "tools"], tmp_path)
    run([UV, "pip", "install", "--quiet", "--python", "tools", *PYTHON_GENERATOR], tmp_path)
    tools = tmp_path / "tools" / "bin"
    told = run(
        [tools / "openapi-python-client", "generate", "--meta", "none", "--fail-on-warning",
         "--path", SCHEMA, "--output-path", "client"],
        tmp_path, PATH=f"{tools}:{os.environ['PATH']}",
    )  # fmt: skip
    assert "arning" not in told
    assert "rror" not in told
    run([tools / "python", "-W", "error", "-m", "compileall", "-q", "client"], tmp_path)
    run([tools / "python", "-c", every_module(tmp_path / "client")], tmp_path)
    price, slug, _ = run([tools / "python", "-c", CALL], tmp_path, **variables).split()
    assert (price, slug) == ("5000", "blog")


def every_module(folder: Path) -> str:
    """A program that imports every module of a package."""
    files = [path.relative_to(folder.parent).with_suffix("") for path in folder.rglob("*.py")]
    return "\n".join(f"import {'.'.join(file.parts).removesuffix('.__init__')}" for file in files)


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[[str], Path]:
    """Compiles a program beside the types that are generated from the schema; returns the script."""
    if NPM is None or NODE is None:
        pytest.skip("node and npm are not installed: no TypeScript client is generated")

    def compile_program(text: str) -> Path:
        (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
        (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMPILER_OPTIONS}))
        (tmp_path / "walk.ts").write_text(text)
        run([NPM, "install", "--no-fund", "--no-audit", "--silent", *TYPESCRIPT_TOOLS], tmp_path)
        tools = tmp_path / "node_modules" / ".bin"
        told = run(
            [tools / "openapi-typescript", SCHEMA, "--default-non-nullable=false", "--output", "api.d.ts"],
            tmp_path,
        )
        assert "⚠" not in told
        assert "arn" not in told.lower()
        assert run([tools / "tsc"], tmp_path) == ""
        return tmp_path / "out" / "walk.js"

    return compile_program


def test_the_typescript_of_the_page_compiles_and_comes_to_a_quote(
    compiled: Callable[[str], Path], tmp_path: Path, variables: dict[str, str]
) -> None:
    heading = "From a token to a quote"
    script = compiled(program(heading, "ts"))
    quote = json.loads(run([NODE, script], tmp_path, **variables))
    assert differences(scenes(heading)[-1].shown, quote) == []
