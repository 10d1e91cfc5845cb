"""What a request for new droplets asks for, checked as DigitalOcean checks it."""

import re
from dataclasses import dataclass
from typing import Final

from simulator.account import Account
from simulator.catalog import IMAGE_IDS, IMAGES, REGIONS, SIZES, Json
from simulator.errors import ApiError, unprocessable

NAME: Final = re.compile(r"[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]")
MAX_NAME_LENGTH: Final = 255
_TAG: Final = re.compile(r"[A-Za-z0-9_:\-]{1,255}")
_MOST_AT_ONCE: Final = 10
_MAX_USER_DATA_BYTES: Final = 64 * 1024
_HOURS: Final = frozenset({0, 4, 8, 12, 16, 20})
_WEEKDAYS: Final = frozenset({"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"})


@dataclass(frozen=True, slots=True)
class DropletRequest:
    """New droplets, all alike but for the name; `several` decides the answer's shape."""

    names: list[str]
    several: bool
    size: str
    region: str
    image: int
    tags: list[str]
    ipv6: bool
    monitoring: bool
    backup_policy: Json | None
    vpc_uuid: str


def parse_droplet_request(account: Account, payload: Json) -> DropletRequest:
    """Raises ApiError (422) where DigitalOcean would refuse."""
    several = "names" in payload
    names = payload["names"] if several else [payload.get("name")]
    if not isinstance(names, list) or not 1 <= len(names) <= _MOST_AT_ONCE:
        raise unprocessable(f"names must be a list of 1 to {_MOST_AT_ONCE} names")
    size = payload.get("size")
    if not isinstance(size, str) or size not in SIZES:
        raise unprocessable("You specified an invalid size for Droplet creation.")
    if len(account.droplets) + len(names) > account.droplet_limit:
        raise unprocessable("creating this/these droplet(s) will exceed your droplet limit")
    if len(str(payload.get("user_data") or "").encode()) > _MAX_USER_DATA_BYTES:
        raise unprocessable("user_data may not exceed 64 KiB in size")
    if payload.get("volumes"):
        raise unprocessable("Volume not found")
    return DropletRequest(
        names=[validate_droplet_name(name) for name in names],
        several=several,
        size=size,
        region=_region(payload.get("region"), size),
        image=find_image_id(
            account, payload.get("image"), "You specified an invalid image for Droplet creation."
        ),
        tags=validate_tag_names(payload.get("tags") or []),
        ipv6=bool(payload.get("ipv6")),
        monitoring=bool(payload.get("monitoring")),
        backup_policy=parse_backup_policy(payload.get("backup_policy")) if payload.get("backups") else None,
        vpc_uuid=str(payload.get("vpc_uuid") or ""),
    )


def validate_droplet_name(name: object) -> str:
    """The name, if it may be a host's. Raises ApiError (422)."""
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH or not NAME.fullmatch(name):
        raise _invalid_name()
    return name


def _invalid_name() -> ApiError:
    return unprocessable("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")


def validate_tag_names(names: object) -> list[str]:
    """The names, if they may be tags. Raises ApiError (422)."""
    if not isinstance(names, list) or not all(isinstance(n, str) and _TAG.fullmatch(n) for n in names):
        raise unprocessable("Tags may contain letters, numbers, colons, dashes, and underscores")
    return names


def _region(payload: object, size: str) -> str:
    """The region asked for, by its slug or the beginning of one; any, if none is."""
    wanted = str(payload or "")
    matching = (
        [wanted] if wanted in REGIONS else [slug for slug in REGIONS if slug.rstrip("0123456789") == wanted]
    )
    if not matching and not wanted:
        matching = list(REGIONS)
    if not any(REGIONS[slug]["available"] for slug in matching):
        raise unprocessable("You specified an invalid region for Droplet creation.")
    fitting = [slug for slug in matching if slug in SIZES[size]["regions"]]
    if not fitting:
        raise unprocessable("Size is not available in this region.")
    return fitting[0]


def find_image_id(account: Account, payload: object, refusal: str) -> int:
    """The id of a public image, or of one of the account's. Raises ApiError (422)."""
    found = IMAGE_IDS.get(str(payload)) or (int(str(payload)) if str(payload).isdecimal() else 0)
    if found not in IMAGES and found not in account.images:
        raise unprocessable(refusal)
    return found


def parse_backup_policy(payload: object) -> Json:
    """The policy asked for, daily if none is, with what DigitalOcean adds. Raises ApiError (422)."""
    given = payload if isinstance(payload, dict) else {}
    plan, hour = given.get("plan", "daily"), given.get("hour", 0)
    if plan not in {"daily", "weekly"} or hour not in _HOURS:
        raise unprocessable("invalid backup policy")
    policy: Json = {"plan": plan, "hour": hour, "window_length_hours": 4, "retention_period_days": 7}
    if plan == "weekly":
        policy |= {"weekday": given.get("weekday", "SUN"), "retention_period_days": 28}
        if policy["weekday"] not in _WEEKDAYS:
            raise unprocessable("invalid backup policy")
    return policy
