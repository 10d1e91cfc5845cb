"""Runbooks: every alert's code has its section of docs/operations.md."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from arcadia_cloud.kernel.runbooks import parse_runbooks, runbook_of

_NAMED = re.compile(r"\bcode=(_?[A-Z_]+)\b")
APPS = (
    "arcadia_cloud",
    "billing",
    "catalog",
    "deployments",
    "drift",
    "inventory",
    "metering",
    "provisioning",
)


def codes_of_alerts() -> set[str]:
    """The constants that a module with `raise_alert` passes as `code`, by their value."""
    found: set[str] = set()
    for app in APPS:
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            text = path.read_text()
            if "raise_alert(" in text:
                constants = dict(re.findall(r'^(_?[A-Z_]+): Final = "([a-z_]+)"', text, re.MULTILINE))
                found |= {constants[name] for name in _NAMED.findall(text) if name in constants}
    return found


def test_every_alert_has_a_runbook() -> None:
    codes = codes_of_alerts()
    assert len(codes) > 10
    assert not [code for code in sorted(codes) if not runbook_of(code)]


@pytest.mark.parametrize("code", ["sync_failed", "sync_suspicious", "trial_not_ended", "no_worker"])
def test_a_runbook_is_its_section_as_html(code: str) -> None:
    html = runbook_of(code)
    assert "<ol>" in html or "<table>" in html
    assert "## " not in html


def test_the_first_section_whose_first_paragraph_names_the_code_counts_and_html_stays_text() -> None:
    document = "# Head\n\n## One\n\nIt is `a_b` <b>now</b>.\n\n1. `c_d`\n\n## Two\n\nAlso `a_b` and `e_f`.\n"
    found = parse_runbooks(document)
    assert set(found) == {"a_b", "e_f"}
    assert "&lt;b&gt;" in found["a_b"]
    assert found["e_f"] == "<p>Also <code>a_b</code> and <code>e_f</code>.</p>\n"
