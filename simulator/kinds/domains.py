"""`/v2/domains`: DNS zones, by their names, and their records."""

from flask import Blueprint, request

from simulator import context
from simulator.account import Account
from simulator.catalog import Json
from simulator.errors import not_found
from simulator.paging import list_page
from simulator.shelf import Shelf

routes = Blueprint("domains", __name__)


def _shown(_account: Account, domain: Json) -> Json:
    name, ttl = domain["name"], domain["ttl"]
    lines = [f"$ORIGIN {name}.", f"$TTL {ttl}"]
    lines += [
        f"{record['name']} {record['ttl']} IN {record['type']} {record['data']}"
        for record in domain["records"]
    ]
    return {"name": name, "ttl": ttl, "zone_file": "\n".join(lines) + "\n"}


DOMAINS = Shelf("dns_zone", "/v2/domains", "domains", "domain", identity="name", urn="domain", shown=_shown)
DOMAIN = DOMAINS.kind(routes)


@routes.get("/v2/domains/<name>/records")
def list_records(name: str) -> Json:
    """`?name=` is the whole name, with the zone's own."""
    zone, query = DOMAINS.find(context.account(), name), request.args
    found = [
        record
        for record in zone["records"]
        if query.get("type", record["type"]) == record["type"]
        and query.get("name", _whole(record, name)) == _whole(record, name)
    ]
    return list_page("domain_records", found)


def _whole(record: Json, zone: str) -> str:
    return zone if record["name"] == "@" else f"{record['name']}.{zone}"


@routes.get("/v2/domains/<name>/records/<int:record_id>")
def show_record(name: str, record_id: int) -> Json:
    zone = DOMAINS.find(context.account(), name)
    record = next((record for record in zone["records"] if record["id"] == record_id), None)
    if record is None:
        raise not_found()
    return {"domain_record": record}
