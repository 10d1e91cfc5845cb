"""`/v2/domains`: DNS zones, by their names, and their records."""

from typing import Final

from flask import Blueprint, request

from simulator import request_context
from simulator.account import Account
from simulator.catalog import Json
from simulator.collection import Collection
from simulator.errors import not_found, unprocessable
from simulator.pagination import paginate_list

routes = Blueprint("domains", __name__)
_TYPES: Final = frozenset({"A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT"})
_TYPES_WITH_HOST: Final = frozenset({"CNAME", "MX", "NS", "SRV"})
_MIN_TTL: Final = 30
_FIRST_RECORD: Final = 28_448_000
_EMPTY_RECORD: Final[Json] = {
    "type": "", "name": "", "data": "", "priority": None, "port": None, "ttl": 1800, "weight": None,
    "flags": None, "tag": None,
}  # fmt: skip


def _render(_account: Account, domain: Json) -> Json:
    name, ttl = domain["name"], domain["ttl"]
    lines = [f"$ORIGIN {name}.", f"$TTL {ttl}"]
    lines += [
        f"{record['name']} {record['ttl']} IN {record['type']} {record['data']}"
        for record in domain["records"]
    ]
    return {"name": name, "ttl": ttl, "zone_file": "\n".join(lines) + "\n"}


DOMAINS = Collection(
    "dns_zone", "/v2/domains", "domains", "domain", identity="name", urn="domain", render=_render
)
DOMAIN = DOMAINS.register_kind(routes)


@routes.get("/v2/domains/<name>/records")
def list_records(name: str) -> Json:
    """List the records, with `?name=` those of that fully qualified name."""
    zone, query = DOMAINS.get_or_404(request_context.get_account(), name), request.args
    found = [
        record
        for record in zone["records"]
        if query.get("type", record["type"]) == record["type"]
        and query.get("name", _qualified_name(record, name)) == _qualified_name(record, name)
    ]
    return paginate_list("domain_records", found)


def _qualified_name(record: Json, zone: str) -> str:
    return zone if record["name"] == "@" else f"{record['name']}.{zone}"


def _get_record_or_404(name: str, record_id: int) -> Json:
    zone = DOMAINS.get_or_404(request_context.get_account(), name)
    record: Json | None = next((record for record in zone["records"] if record["id"] == record_id), None)
    if record is None:
        raise not_found()
    return record


@routes.get("/v2/domains/<name>/records/<int:record_id>")
def show_record(name: str, record_id: int) -> Json:
    return {"domain_record": _get_record_or_404(name, record_id)}


def _apply_payload(payload: Json, record: Json) -> Json:
    """Return the record with the payload's fields. A host's name must end with a dot, which is not stored.

    Raises ApiError (422).
    """
    changed: Json = {field: payload.get(field, value) for field, value in record.items()}
    if changed["type"] not in _TYPES:
        raise unprocessable("Type is not a valid record type.")
    for field in ("name", "data"):
        if not isinstance(changed[field], str) or not changed[field]:
            raise unprocessable(f"{field.capitalize()} can't be blank")
    if not isinstance(changed["ttl"], int) or changed["ttl"] < _MIN_TTL:
        raise unprocessable(f"TTL must be at least {_MIN_TTL}")
    if changed["type"] in _TYPES_WITH_HOST and "data" in payload:
        if changed["data"] != "@" and not changed["data"].endswith("."):
            raise unprocessable("Data needs to end with a dot (.)")
        changed["data"] = changed["data"].removesuffix(".")
    return changed


@routes.post("/v2/domains/<name>/records")
def create_record(name: str) -> tuple[Json, int]:
    """Create the record, even if there is an equal one, as DigitalOcean does."""
    zone = DOMAINS.get_or_404(request_context.get_account(), name)
    record = _apply_payload(request_context.read_json(), {"id": 0, **_EMPTY_RECORD})
    newest = max((each["id"] for each in zone["records"]), default=_FIRST_RECORD)
    # The id of a deleted record isn't used again: a client that still has it must find nothing.
    record["id"] = zone["newest_id"] = max(newest, zone.get("newest_id", 0)) + 1
    zone["records"].append(record)
    return {"domain_record": record}, 201


@routes.put("/v2/domains/<name>/records/<int:record_id>")
@routes.patch("/v2/domains/<name>/records/<int:record_id>")
def change_record(name: str, record_id: int) -> Json:
    record = _get_record_or_404(name, record_id)
    # Validated as a whole before the stored record changes: a refusal leaves it as it was.
    record.update(_apply_payload(request_context.read_json(), record))
    return {"domain_record": record}


@routes.delete("/v2/domains/<name>/records/<int:record_id>")
def delete_record(name: str, record_id: int) -> tuple[str, int]:
    record = _get_record_or_404(name, record_id)
    DOMAINS.get_or_404(request_context.get_account(), name)["records"].remove(record)
    return "", 204
