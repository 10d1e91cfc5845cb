"""The files in docs/monitoring: every metric that they name is exported, every rule has its runbook."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from arcadia_cloud.kernel.metrics import counts, gauges
from tests.http.test_metrics import scrape

FOLDER = Path(settings.BASE_DIR) / "docs" / "monitoring"
OPERATIONS = Path(settings.BASE_DIR) / "docs" / "operations.md"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text())
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "arcadia-cloud.rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in DASHBOARD["panels"]}
_METRIC = re.compile(r"\barcadia_\w+")


def expressions() -> list[str]:
    return [rule["expr"] for rule in RULES] + [expr for exprs in PANELS.values() for expr in exprs]


@pytest.mark.django_db
def test_every_metric_that_a_panel_or_a_rule_names_is_exported_and_every_exported_one_is_used() -> None:
    named = {name for expression in expressions() for name in _METRIC.findall(expression)}
    exported = scrape().names
    assert named - exported == set()
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
    used = {name for name in exported if re.sub(r"_(bucket|sum|count)$", "", name) in bases}
    assert exported - used == set(), "nobody looks at these"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_every_rule_has_a_severity_a_summary_and_a_section_of_the_runbooks(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"]
    document, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert document == "docs/operations.md"
    headings = re.findall(r"^## (.+)$", OPERATIONS.read_text(), re.MULTILINE)
    assert anchor in {slug_of(heading) for heading in headings}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_a_rule_names_labels_that_its_metrics_have(rule: dict[str, Any]) -> None:
    selectors = re.findall(r"\b(arcadia_\w+)(?:\{([^}]*)\})?", rule["expr"])
    known = labels_by_metric()
    for name, matchers in selectors:
        labels = known[re.sub(r"_bucket$", "", name)]
        assert set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"", matchers)) <= labels, name
    # The summary of an alert whose series lacks the label would have a gap.
    everything = set().union(*known.values())
    kept = everything.intersection(*(known[re.sub(r"_bucket$", "", name)] for name, _ in selectors))
    by = re.search(r"\bby \(([^)]*)\)", rule["expr"])
    kept &= set(re.split(r"\W+", by[1])) if by else kept
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= kept


def labels_by_metric() -> dict[str, set[str]]:
    declared = [*counts._declared.values(), gauges.SOURCE_UP]
    declared_gauges = [gauge for source in gauges._sources.values() for gauge in source.gauges]
    found = {metric.name: set(metric.labels) for metric in [*declared, *declared_gauges]}
    return {**found, "arcadia_metrics_counts_up": set()}


def test_every_expression_closes_what_it_opens() -> None:
    for expression in expressions():
        for pair in ("()", "{}", "[]"):
            assert expression.count(pair[0]) == expression.count(pair[1]), expression
        assert expression.count('"') % 2 == 0, expression


def test_no_two_panels_lie_on_each_other() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        own = {
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & own, panel["title"]
        assert place["x"] + place["w"] <= 24
        cells |= own


def slug_of(heading: str) -> str:
    """The anchor that Markdown viewers give a heading."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
