"""The invoice of April 2026 of the fleet `reference`: 33 lines, 86.92 in all, 7.90 of it GST.

Six lines charge droplets of the fleet, one of them resized in the month. The others charge resources that are
deleted or in no list, and none of them may be matched to a droplet by its name alone.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from simulator.billing.lines import Line
from simulator.billing.rating import FULL_MONTH_HOURS, half_up, make_tax_line, midnight, month_after

MONTH: Final = date(2026, 4, 1)
_FIRST, _AFTER = midnight(MONTH), midnight(month_after(MONTH))
_LAST_SECOND = _AFTER - timedelta(seconds=1)
_HOURS: Final = 720
_SMALL_CENTS, _LARGE_CENTS = 600, 4800
_FIRST_RUNNER: Final = 471_220_310
_RUNNER_HOURS: Final = (60,) * 15 + (45,)
# Name, size, monthly cents, and the first and last hour of the month at that size.
_FLEET: Final = (
    ("acme-web-01", "s-1vcpu-1gb", _SMALL_CENTS, 0, _HOURS),
    ("acme-web-02", "s-1vcpu-1gb", _SMALL_CENTS, 0, _HOURS),
    ("acme-db-01", "s-2vcpu-4gb", 2400, 0, _HOURS),
    ("globex-app-01", "s-1vcpu-1gb", _SMALL_CENTS, 0, 648),
    ("globex-app-01", "s-4vcpu-8gb", _LARGE_CENTS, 648, _HOURS),
    ("bastion-01", "s-1vcpu-1gb", _SMALL_CENTS, 0, _HOURS),
)
_UNUSED_IP: Final = "Unused Floating IP - 203.0.113.77"
# Product, description, cents, project, category.
_OTHERS: Final = (
    ("Volumes", "bastion-01 (fra1) 10GB", 100, "arcadia", "iaas"),
    ("Volumes", "acme-db-01-data (nyc3) 40GB", 400, "acme", "iaas"),
    ("Volumes", "globex-files (fra1) 5GB", 50, "globex", "iaas"),
    ("Snapshots", "acme-db-01-before-upgrade (12.0 GB)", 72, "", "iaas"),
    ("Snapshots", "globex-app-01-golden (11.0 GB)", 66, "", "iaas"),
    ("Backups", "acme-db-00 (s-2vcpu-4gb)", 480, "acme", "iaas"),  # of what acme-db-01 came after, long gone
    ("Bandwidth", "Droplet transfer overage 37 GiB", 37, "", "iaas"),
    ("Spaces Subscription", "Spaces ($5/mo 250GB storage & 1TB bandwidth)", 500, "", "iaas"),
    ("Container Registry", "arcadia (Starter)", 0, "", "paas"),
)


def reference_lines(droplets: Mapping[str, tuple[str, str]]) -> list[Line]:
    """Return the 33 lines. `droplets`: the id and project of each of the fleet's, by name."""
    lines = [
        *(_charge_droplet(name, size, cents, begin, end, *droplets.get(name, ("", "")))
          for name, size, cents, begin, end in _FLEET),
        *(_charge_runner(number, hours) for number, hours in enumerate(_RUNNER_HOURS)),
        *(Line(product, description, _FIRST, _LAST_SECOND, cents, _HOURS, project=project, category=category)
          for product, description, cents, project, category in _OTHERS),
        Line("Floating IPs", _UNUSED_IP, _FIRST, _FIRST + timedelta(hours=72), 54, 72),
    ]  # fmt: skip
    return [*lines, make_tax_line(sum(line.cents for line in lines), MONTH, end=_LAST_SECOND)]


def _charge_droplet(
    name: str, size: str, monthly_cents: int, begin: int, end: int, key: str, project: str
) -> Line:
    hours = end - begin
    return Line(
        "Droplets",
        f"{name} ({size})",
        _FIRST + timedelta(hours=begin),
        _FIRST + timedelta(hours=end),
        half_up(monthly_cents * min(hours, FULL_MONTH_HOURS), FULL_MONTH_HOURS),
        hours,
        project=project,
        resource_id=key,
    )


def _charge_runner(number: int, hours: int) -> Line:
    """Return the line of a droplet that existed for some hours; two of them had the same name."""
    begin = number * 40
    name = f"ci-runner-{min(number, 14) + 1:02}"
    key = str(_FIRST_RUNNER + number * 1013)
    return _charge_droplet(name, "s-1vcpu-1gb", _SMALL_CENTS, begin, begin + hours, key, "arcadia")
