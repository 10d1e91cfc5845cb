"""Subjects of alerts and history lead to the page or the list that shows them."""

import pytest

from arcadia_cloud.kernel import subject_links
from arcadia_cloud.kernel.subject_links import url_of
from drift.alerts import SUBJECT


@pytest.mark.parametrize(
    ("subject", "address"),
    [
        ("saga:12", "/admin/provisioning/sagarun/12/change/"),
        (SUBJECT, "/admin/drift/drift/?status=open"),
        ("audit:day_not_metered", "/admin/billing/auditfinding/?rule=day_not_metered"),
        ("audit:", ""),
        ("audit:12", ""),
        ("drift:open:1", ""),
        ("droplet:4711", ""),
        ("metering", ""),
    ],
)
def test_a_subject_has_its_page_or_none(subject: str, address: str) -> None:
    assert url_of(subject) == address


def test_a_kind_of_subject_has_one_list() -> None:
    subject_links.register_list("drift", "admin:drift_drift_changelist", "status")  # again: the same
    with pytest.raises(ValueError, match="registered twice"):
        subject_links.register_list("drift", "admin:drift_drift_changelist", "cause")
