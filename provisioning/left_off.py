"""Droplets that a saga switched off and could not switch on again."""

from dataclasses import dataclass
from typing import Final

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.sql import fetch_all, load

LEFT_OFF: Final = "droplet_left_off"
_MOST: Final = 100
_LIST_DROPLETS_LEFT_OFF: Final = load(__package__, "list_droplets_left_off.sql")


@dataclass(frozen=True, slots=True)
class _LeftOff:
    saga_id: int
    provider_id: str
    name: str


def report_left_off() -> int:
    """Raise an alert for each such droplet, once, and resolve those of droplets that run or are gone."""
    found = fetch_all(_LIST_DROPLETS_LEFT_OFF, {"most": _MOST}, into=_LeftOff)
    left_off = {f"droplet:{droplet.provider_id}": droplet for droplet in found}
    open_alerts = set(Alert.objects.filter(code=LEFT_OFF, resolved_at=None).values_list("subject", flat=True))
    for subject in open_alerts - set(left_off):
        resolve_alert(code=LEFT_OFF, subject=subject, actor="the sweep")
    for subject in set(left_off) - open_alerts:
        droplet = left_off[subject]
        raise_alert(
            code=LEFT_OFF,
            subject=subject,
            message=(
                f"Saga {droplet.saga_id} left droplet {droplet.name or droplet.provider_id} off: it was on "
                "before, and could not be switched on again. Retry the saga, or start power_on_droplet."
            ),
            severity=Alert.Severity.CRITICAL,
            details={"saga": droplet.saga_id},
        )
    return len(left_off)
