"""Loading statements, running them, and what every statement of the project must hold to."""

import importlib
import pkgutil
import re
import time
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from arcadia_cloud.kernel.sql import (
    Statement,
    StatementError,
    all_statements,
    execute,
    fetch_all,
    fetch_one,
    fetching_ahead,
    load,
)
from deployments.models import Deployment

ROOT = Path(__file__).parents[2]
APPS = ("catalog", "deployments", "inventory", "provisioning", "metering", "drift", "billing")
PACKAGES = ("arcadia_cloud", *APPS)
INCLUDE = re.compile(r"^\s*-- include: (\S+)\s*$", re.MULTILINE)


class SlugRow(NamedTuple):
    id: int
    slug: str


@dataclass(frozen=True, slots=True)
class StateRow:
    state: str
    slug: str


class Files:
    """Statement files of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def load(self, text: str, name: str = "statement.sql") -> Statement:
        self.write(name, text if text.startswith("--") else f"-- A test's.\n{text}")
        return load(self.folder, name)


@pytest.fixture
def sql(tmp_path: Path) -> Files:
    return Files(tmp_path / "sql")


@pytest.fixture
def shop(db: None) -> Deployment:
    return Deployment.objects.create(tenant_id="acme", slug="shop", state="active")


def test_a_statement_knows_its_head_and_its_parameters(sql: Files) -> None:
    loaded = sql.load(
        "-- Find a deployment: 100% of it.\n"
        "--\n"
        "-- parameters  slug text · at timestamptz\n"
        "-- returns     id (one row)\n"
        "SELECT id\n"
        "  -- a comment of its own, 100% %(ignored)s\n"
        "FROM cloud_deployments\n"
        "WHERE slug = %(slug)s::text AND %(at)s::timestamptz > now() OR slug = %(slug)s\n"
    )
    assert loaded.head == (
        "Find a deployment: 100% of it.\n\nparameters  slug text · at timestamptz\nreturns     id (one row)"
    )
    assert loaded.parameters == ("slug", "at")
    assert loaded.name == "statement.sql"
    assert loaded.text == (
        "-- statement.sql\n"
        "SELECT id\n"
        "FROM cloud_deployments\n"
        "WHERE slug = %(slug)s::text AND %(at)s::timestamptz > now() OR slug = %(slug)s\n"
    )
    assert loaded in all_statements()
    assert load(sql.folder, "statement.sql") is loaded


def test_a_statement_is_found_beside_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "some_package"
    Files(package / "sql").write("one.sql", "-- One.\nSELECT 1\n")
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert load("some_package", "one.sql").file == package / "sql" / "one.sql"


def test_includes_are_put_in_their_place(sql: Files) -> None:
    sql.write("parts/first.sql", "-- A part.\n-- include: ../deep.sql\nfirst AS (SELECT 1 AS one),\n")
    sql.write("deep.sql", "-- Deeper.\ndeep AS (SELECT 0 AS nought),\n")
    sql.write("with.sql", "-- Begin.\nWITH\n")
    loaded = sql.load(
        "-- All.\n-- include: with.sql\n  -- include: parts/first.sql\nlast AS (SELECT 2)\nSELECT 3\n",
        "all.sql",
    )
    assert loaded.head == "All."
    assert loaded.text.splitlines() == [
        "-- all.sql",
        "WITH",
        "deep AS (SELECT 0 AS nought),",
        "first AS (SELECT 1 AS one),",
        "last AS (SELECT 2)",
        "SELECT 3",
    ]


def test_what_is_missing_is_refused_when_it_is_loaded(sql: Files) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.sql"):
        load(sql.folder, "nowhere.sql")
    with pytest.raises(FileNotFoundError, match=r"includes part\.sql"):
        sql.load("-- One.\n-- include: part.sql\nSELECT 1\n")
    with pytest.raises(ModuleNotFoundError):
        load("no_such_package", "one.sql")


def test_files_that_include_each_other_are_refused(sql: Files) -> None:
    sql.write("part.sql", "-- A part.\n-- include: whole.sql\n")
    with pytest.raises(StatementError, match="includes itself"):
        sql.load("-- The whole.\n-- include: part.sql\n", "whole.sql")


def test_a_statement_without_a_head_is_refused(sql: Files) -> None:
    sql.write("bare.sql", "SELECT 1\n")
    with pytest.raises(StatementError, match="has no head"):
        load(sql.folder, "bare.sql")


@pytest.mark.parametrize("prepared", [False, True])
def test_rows_come_by_name(sql: Files, shop: Deployment, prepared: bool) -> None:
    one = sql.load("SELECT slug, id FROM cloud_deployments WHERE slug = %(slug)s::text", "one.sql")
    found = fetch_one(one, {"slug": "shop"}, into=SlugRow, prepared=prepared)
    assert found == SlugRow(shop.pk, "shop")
    assert fetch_one(one, {"slug": "none"}, into=SlugRow, prepared=prepared) is None
    every = sql.load("SELECT state, slug, 1 AS _left_out FROM cloud_deployments", "every.sql")
    assert fetch_all(every, into=StateRow, prepared=prepared) == [StateRow("active", "shop")]
    none = sql.load("SELECT id, slug FROM cloud_deployments WHERE false", "none.sql")
    assert fetch_all(none, into=SlugRow, prepared=prepared) == []


def test_one_type_may_be_filled_by_columns_in_any_order(sql: Files, db: None) -> None:
    for number, columns in enumerate(
        ("1 AS id, 'a' AS slug", "'a' AS slug, 1 AS id", "1 AS id, 2 AS _x, 'a' AS slug")
    ):
        assert fetch_one(sql.load(f"SELECT {columns}", f"{number}.sql"), into=SlugRow) == SlugRow(1, "a")


@pytest.mark.parametrize(
    "columns", ["1 AS id", "1 AS id, 'a' AS slug, 2 AS more", "1 AS id, 'a' AS name", "1, 2"]
)
def test_columns_that_the_type_lacks_or_needs_are_refused(sql: Files, db: None, columns: str) -> None:
    with pytest.raises(StatementError, match="SlugRow has id, slug; the row has"):
        fetch_one(sql.load(f"SELECT {columns}"), into=SlugRow)


def test_a_single_column_comes_as_a_value(sql: Files, db: None) -> None:
    numbers = sql.load("SELECT n FROM generate_series(1, %(most)s::int) AS n")
    assert fetch_all(numbers, {"most": 3}, into=int) == [1, 2, 3]
    assert fetch_one(numbers, {"most": 0}, into=int) is None
    assert fetch_one(sql.load("SELECT 1.50", "decimal.sql"), into=Decimal) == Decimal("1.50")
    with pytest.raises(StatementError, match="n is int, not str"):
        fetch_all(numbers, {"most": 3}, into=str)
    with pytest.raises(StatementError, match="no single int"):
        fetch_one(sql.load("SELECT 1 AS a, 2 AS b", "two.sql"), into=int)


def test_rows_asked_for_ahead_come_while_the_caller_computes(sql: Files, db: None) -> None:
    one = sql.load("SELECT 10 / %(n)s::int AS tenth FROM pg_sleep(0.1)")
    with CaptureQueriesContext(connection) as captured, fetching_ahead() as ahead:
        two, five = (ahead.fetch_all(one, {"n": n}, into=int) for n in (2, 5))
        time.sleep(0.3)  # as its caller computes, both are done
        started = time.monotonic()
        assert (two.result(), five.result()) == ([5], [2])
        assert time.monotonic() - started < 0.09
    assert len(captured) == 2

    with fetching_ahead() as ahead:
        first = ahead.fetch_all(one, {"n": 1}, into=int)
        never_begun = [ahead.fetch_all(one, {"n": 1}, into=int) for _ in range(20)]
    assert first.result() == [10]
    assert never_begun[-1].cancelled()
    assert fetch_all(one, {"n": 5}, into=int) == [2]  # the connection is its caller's again

    with pytest.raises(DataError), transaction.atomic(), fetching_ahead() as ahead:
        ahead.fetch_all(one, {"n": 0}, into=int).result()


def test_a_write_returns_how_many_rows_it_wrote(sql: Files, shop: Deployment) -> None:
    pause = sql.load("UPDATE cloud_deployments SET state = 'paused' WHERE slug = %(slug)s::text")
    assert execute(pause, {"slug": "shop"}) == 1
    assert execute(pause, {"slug": "none"}, prepared=True) == 0
    shop.refresh_from_db()
    assert shop.state == "paused"


def test_a_script_is_run_whole(sql: Files, db: None) -> None:
    execute(sql.load("CREATE TEMPORARY TABLE held (n integer) ON COMMIT DROP;\nINSERT INTO held VALUES (7);"))
    assert fetch_all(sql.load("SELECT n FROM held", "read.sql"), into=int) == [7]


def test_statements_run_in_the_callers_transaction(sql: Files, shop: Deployment) -> None:
    pause = sql.load("UPDATE cloud_deployments SET state = 'paused' RETURNING id")
    with transaction.atomic():
        assert fetch_one(pause, into=int) == shop.pk
        transaction.set_rollback(True)
    shop.refresh_from_db()
    assert shop.state == "active"


def test_statements_are_logged_and_their_errors_are_djangos(
    sql: Files, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    one = sql.load("SELECT %(n)s::int AS n")
    with django_assert_num_queries(3):
        fetch_one(one, {"n": 1}, into=int)
        fetch_all(one, {"n": 1}, into=int, prepared=True)
        execute(one, {"n": 1})
    with CaptureQueriesContext(connection) as queries:
        fetch_one(one, {"n": 1}, into=int)
    assert queries[0]["sql"].startswith("-- statement.sql\n")
    with pytest.raises(DataError), transaction.atomic():
        fetch_one(sql.load("SELECT 1 / %(n)s::int AS n", "error.sql"), {"n": 0}, into=int)


def test_values_travel_beside_the_statement(sql: Files, db: None) -> None:
    class Row(NamedTuple):
        text: str
        at: datetime
        numbers: list[int]

    at = datetime.fromisoformat("2026-04-01T00:00:00+00:00")
    found = fetch_one(
        sql.load("SELECT %(text)s::text AS text, %(at)s::timestamptz AS at, %(numbers)s::int[] AS numbers"),
        {"text": "'; DROP TABLE x; -- %", "at": at, "numbers": [1, 2]},
        into=Row,
    )
    assert found == Row("'; DROP TABLE x; -- %", at, [1, 2])


@pytest.fixture(scope="module")
def project_statements() -> list[Statement]:
    """Those that the project's modules load, however deep they are."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)
    own = (ROOT / name for name in PACKAGES)
    folders = tuple(f"{folder}/" for folder in own)
    return [each for each in all_statements() if str(each.file).startswith(folders)]


def test_every_statement_can_be_prepared(db: None, project_statements: list[Statement]) -> None:
    """Tables and columns are there, and every parameter has a type."""
    scripts = [each for each in project_statements if _is_script(each)]
    for script in scripts:  # they make the temporary tables that others read
        execute(script)
    failures = []
    for each in project_statements:
        if each in scripts:
            continue
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"PREPARE tried AS {_number_parameters(each)}")
                cursor.execute("DEALLOCATE tried")
        except Exception as error:  # noqa: BLE001 - each statement's own, reported together
            failures.append(f"{each.file.relative_to(ROOT)}: {error}")
    assert not failures, "\n".join(failures)


def test_every_head_names_parameters_rows_and_locks(project_statements: list[Statement]) -> None:
    failures = []
    for each in project_statements:
        named = {"returns", "locks", *(["parameters"] if each.parameters else [])}
        lacking = [part for part in sorted(named) if not re.search(rf"^{part}\s+\S", each.head, re.MULTILINE)]
        lacking += [name for name in each.parameters if not re.search(rf"\b{name}\b", each.head)]
        if lacking:
            failures.append(f"{each.file.relative_to(ROOT)}: {', '.join(lacking)}")
    assert not failures, "\n".join(failures)


def test_no_statement_file_is_left_unused(project_statements: list[Statement]) -> None:
    loaded = {each.file for each in project_statements}
    there = {file for folder in {file.parent for file in loaded} for file in folder.glob("*.sql")}
    included = {
        (file.parent / path).resolve() for file in there for path in INCLUDE.findall(file.read_text())
    }
    assert there <= loaded | included


def _number_parameters(statement: Statement) -> str:
    numbers = {name: f"${number}" for number, name in enumerate(statement.parameters, 1)}
    text = re.sub(r"%\((\w+)\)s", lambda found: numbers[found[1]], statement.text)
    return text.replace("%%", "%") if statement.parameters else text


def _is_script(statement: Statement) -> bool:
    bare = re.sub(r"'[^']*'|--[^\n]*", "", statement.text)
    return ";" in bare.strip().rstrip(";")
