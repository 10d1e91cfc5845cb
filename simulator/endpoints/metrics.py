"""`/v2/monitoring/metrics/droplet/bandwidth`: rates that depend on the droplet and the time alone."""

from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, request

from simulator import request_context
from simulator.account import ResourceKind
from simulator.catalog import Json
from simulator.errors import bad_request

routes = Blueprint("metrics", __name__)
METRICS = ResourceKind("metrics", routes)

STEP_SECONDS: Final = 120
_CHOICES: Final = {"interface": ("private", "public"), "direction": ("inbound", "outbound")}
_MOST_SECONDS: Final = 14 * 86_400
_LARGEST_TIME: Final = 2**33
_HASH: Final = 2_654_435_761  # Knuth's multiplier: neighbouring numbers become far apart
_MILLIONTHS: Final = 1_000_000
# Of a droplet's highest rate, in per cent, by the hour of the day in UTC.
_DAY: Final = (
    22, 18, 15, 13, 12, 14, 20, 33, 52, 68, 77, 83, 86, 88, 91, 95, 98, 100, 97, 88, 74, 58, 43, 31,
)  # fmt: skip


@routes.get("/v2/monitoring/metrics/droplet/bandwidth")
def show_bandwidth() -> Json:
    """Render the samples of a window, one every two minutes; a droplet that is off or unknown has none."""
    for name, choices in _CHOICES.items():
        if request.args.get(name) not in choices:
            raise bad_request(f"{name} must be one of {', '.join(choices)}")
    host, start, end = (_read_number(name) for name in ("host_id", "start", "end"))
    if not 0 <= end - start <= _MOST_SECONDS:
        raise bad_request("end must follow start, by two weeks at most")
    labels = {"host_id": str(host), **{name: request.args[name] for name in _CHOICES}}
    values = _sample(host, start, end)
    result = [{"metric": labels, "values": values}] if values else []
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def _read_number(name: str) -> int:
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_TIME:
        raise bad_request(f"{name} is required, a whole number")
    return int(text)


def _sample(host: int, start: int, end: int) -> list[list[int | str]]:
    account = request_context.get_account()
    droplet = account.droplets.get(host)
    if droplet is None or droplet.status != "active":
        return []
    first = max(start, int(droplet.created_at.timestamp()))
    last = min(end, int(account.clock.now().timestamp()))
    gap = request_context.take_fault("missing_samples")
    missing = range(int(gap["hour"]), int(gap["hour"]) + int(gap["hours"])) if gap is not None else ()
    times = range(-(-first // STEP_SECONDS) * STEP_SECONDS, last + 1, STEP_SECONDS)
    return [[at, _rate(host, at)] for at in times if _hour(at) not in missing]


def _hour(at: int) -> int:
    return datetime.fromtimestamp(at, UTC).hour


def _rate(host: int, at: int) -> str:
    """Return megabits a second: up to 2.5 by droplet, along the day, with a fifth of noise."""
    highest = host * _HASH % 2_400_000 + 100_000
    noise = 90 + (host + at // STEP_SECONDS) * _HASH % 21
    whole, rest = divmod(highest * _DAY[_hour(at)] * noise // 10_000, _MILLIONTHS)
    return f"{whole}.{rest:06d}"
