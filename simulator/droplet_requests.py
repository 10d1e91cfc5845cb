"""A request for new droplets, validated as DigitalOcean does."""

import re
from dataclasses import dataclass
from typing import Final

from simulator.account import Account
from simulator.catalog import IMAGE_IDS, IMAGES, REGIONS, SIZES, Json
from simulator.errors import unprocessable

NAME: Final = re.compile(r"[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]")
MAX_NAME_LENGTH: Final = 255
_TAG: Final = re.compile(r"[A-Za-z0-9_:\-]{1,255}")
_MAX_AT_ONCE: Final = 10
_MAX_USER_DATA_BYTES: Final = 64 * 1024
_HOURS: Final = frozenset({0, 4, 8, 12, 16, 20})
_WEEKDAYS: Final = frozenset({"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"})


@dataclass(frozen=True, slots=True)
class DropletRequest:
    """A request for droplets that differ by name alone; `several` decides the shape of the response."""

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
    """Validate the body of a request for droplets. Raises ApiError (422) where DigitalOcean would refuse."""
    # By the field and not by the number: a list of one name is answered in the plural too.
    several = "names" in payload
    names = payload["names"] if several else [payload.get("name")]
    if not isinstance(names, list) or not 1 <= len(names) <= _MAX_AT_ONCE:
        raise unprocessable(f"names must be a list of 1 to {_MAX_AT_ONCE} names")
    size = payload.get("size")
    if not isinstance(size, str) or size not in SIZES:
        raise unprocessable("You specified an invalid size for Droplet creation.")
    if len(account.droplets) + len(names) > account.droplet_limit:
        raise unprocessable("creating this/these droplet(s) will exceed your droplet limit")
    if len(str(payload.get("user_data") or "").encode()) > _MAX_USER_DATA_BYTES:
        raise unprocessable("user_data may not exceed 64 KiB in size")
    # Attaching volumes isn't simulated.
    if payload.get("volumes"):
        raise unprocessable("Volume not found")
    return DropletRequest(
        names=[validate_droplet_name(name) for name in names],
        several=several,
        size=size,
        region=_select_region(payload.get("region"), size),
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
    """Return the name, if it may be a host's. Raises ApiError (422)."""
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH or not NAME.fullmatch(name):
        raise unprocessable("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")
    return name


def validate_tag_names(names: object) -> list[str]:
    """Return the names, if they may be tags. Raises ApiError (422)."""
    if not isinstance(names, list) or not all(isinstance(n, str) and _TAG.fullmatch(n) for n in names):
        raise unprocessable("Tags may contain letters, numbers, colons, dashes, and underscores")
    return names


def _select_region(given: object, size: str) -> str:
    """Return the region of that slug, or of one that begins so; any region if none is given.

    Raises ApiError (422).
    """
    wanted = str(given or "")
    # DigitalOcean takes `fra` for any of `fra1`, `fra2` …, preferring the first.
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


def find_image_id(account: Account, key: object, refusal: str) -> int:
    """Return the id of a public image or one of the account's, given by id or slug. Raises ApiError (422)."""
    found = IMAGE_IDS.get(str(key)) or (int(str(key)) if str(key).isdecimal() else 0)
    if found not in IMAGES and found not in account.images:
        raise unprocessable(refusal)
    return found


def parse_backup_policy(payload: object) -> Json:
    """Return the policy, daily by default, with the fields that DigitalOcean adds. Raises ApiError (422)."""
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
