"""The rule by which a desired and a live value are equal: pure, and the only one.

JSON is written and read on the way, and DigitalOcean writes some values anew. So scalars are compared as
text, numbers by value, lists as sets, objects member by member; what the provider is known to rewrite is
normalised first. Statements that look for drift may leave out pairs that are equal here, never decide that
two differ.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, TypeAlias

from drift.values import EXISTS
from inventory.values import Kind

Key: TypeAlias = tuple[Any, ...]

# Two texts are equal only letter by letter ("1.10" is no "1.1"); a number equals any text that spells it.
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_EVERY_PORT: Final = (None, "", "0", "all")
_OTHER_PURPOSE: Final = "Other: "  # the API puts it before a purpose that isn't one of its own
_HOST_NAME_TYPES: Final = frozenset({"CAA", "CNAME", "MX", "NS", "SRV"})
# The API's names of a firewall rule's peers, and the inventory's.
_PEER_NAMES: Final = {"load_balancer_uids": "load_balancer_ids", "kubernetes_ids": "cluster_ids"}
_CAUSE_BYTES: Final = 16  # a hash and not the values: an index can't hold a zone's records


@dataclass(frozen=True, slots=True)
class Difference:
    """A field whose live value isn't the desired one."""

    field: str
    expected: Any
    actual: Any


def compare(kind: str, spec: Mapping[str, Any], live: Mapping[str, Any]) -> list[Difference]:
    """Return the fields of a desired state that differ. A field that `live` lacks is unknown, not drift."""
    return [
        Difference(field, expected, live[field])
        for field, expected in spec.items()
        if field in live and field != EXISTS and not are_equal(kind, field, expected, live[field])
    ]


def are_equal(kind: str, field: str, expected: Any, actual: Any) -> bool:
    """Return whether a field's desired and live values are the same."""
    return _are_equal(normalize(kind, field, expected), normalize(kind, field, actual))


def cause_of(kind: str, field: str, expected: Any, actual: Any) -> str:
    """Return the key of a difference's cause: 32 hex digits, the same however its values are written."""
    keys = [_exact_key(normalize(kind, field, value)) for value in (expected, actual)]
    return blake2b(json.dumps([kind, field, *keys]).encode(), digest_size=_CAUSE_BYTES).hexdigest()


def normalize(kind: str, field: str, value: Any) -> Any:
    """Return the value in one of the ways in which the provider may write it."""
    rule = _OF_FIELD.get((kind, field)) or _OF_EVERY_KIND.get(field)
    return value if rule is None else rule(value)


def _are_equal(one: Any, other: Any) -> bool:
    # A key differs for a true and a 1, which Python's own == takes for the same.
    if _exact_key(one) == _exact_key(other):
        return True
    if _loose_key(one) != _loose_key(other):
        return False
    # What is left differs in the writing of a number: 1 equals "1.0", but "1" doesn't.
    if isinstance(one, dict):
        return all(_are_equal(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return _is_within(one, other) and _is_within(other, one)
    return isinstance(one, str) != isinstance(other, str)


def _is_within(some: Iterable[Any], items: Iterable[Any]) -> bool:
    """Return whether each of `some` equals one of the items."""
    # By loose key: each of two lists of thousands with each of the other would take minutes.
    alike: dict[Key, list[Any]] = {}
    for item in items:
        alike.setdefault(_loose_key(item), []).append(item)
    return all(any(_are_equal(each, item) for item in alike[_loose_key(each)]) for each in some)


def _exact_key(value: Any) -> Key:
    """Return a key that equal values share, but for a number and a text that spells it otherwise."""
    return _key(value, str)


def _loose_key(value: Any) -> Key:
    """Return a key that all equal values share; some that differ share it, too."""
    return _key(value, lambda text: _plain(text) if _NUMBER.fullmatch(text) else text)


def _key(value: Any, spell: Callable[[str], str]) -> Key:
    if value is None:
        return ("null",)
    if isinstance(value, dict):
        return ("object", *sorted((name, _key(member, spell)) for name, member in value.items()))
    if isinstance(value, list | tuple):
        return ("list", *sorted({_key(item, spell) for item in value}))
    if isinstance(value, bool):  # before numbers: Python's true is 1
        return ("text", "true" if value else "false")
    return ("text", spell(value) if isinstance(value, str) else _plain(str(value)))


def _plain(number: str) -> str:
    """Write a number's value in one way. Its digits are all kept: a context would round them."""
    digits = f"{Decimal(number):f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def _each(normalize_item: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the rule for a list of which each item has this one."""
    return lambda value: [normalize_item(item) for item in value] if isinstance(value, list) else value


def _purpose(purpose: Any) -> Any:
    """Drop what is put before a project's purpose that isn't one of the provider's own."""
    return purpose.removeprefix(_OTHER_PURPOSE) if isinstance(purpose, str) else purpose


def _host_name(name: Any) -> Any:
    """Write a host's name without the dot at its end, in small letters; "." alone is no host."""
    return name if not isinstance(name, str) or name == "." else name.removesuffix(".").lower()


def _dns_record(record: Any) -> Any:
    """Drop a record's id, which changes when it is written anew, and what is null, as if it were absent."""
    if not isinstance(record, dict):
        return record
    kept = {name: value for name, value in record.items() if value is not None and name != "id"}
    if kept.get("type") in _HOST_NAME_TYPES and "data" in kept:
        kept["data"] = _host_name(kept["data"])
    return kept


def _firewall_rule(rule: Any) -> Any:
    """Write a rule as the inventory does: every port is "all", and peers, if any, stand in the rule."""
    if not isinstance(rule, dict):
        return rule
    flat: dict[str, Any] = {}
    for name, value in rule.items():
        if name in {"sources", "destinations"}:
            flat |= value if isinstance(value, dict) else {}
        else:
            flat[name] = value
    ports = flat.pop("ports", None)
    is_every = ports is None or (not isinstance(ports, bool | list | dict) and str(ports) in _EVERY_PORT)
    named = {_PEER_NAMES.get(name, name): value for name, value in flat.items() if value not in (None, [])}
    if "tags" in named:
        named["tags"] = _TAGS(named["tags"])
    return {**named, "ports": "all" if is_every else ports}


# A tag keeps the capitals of whoever wrote it first.
_TAGS: Final = _each(lambda tag: tag.lower() if isinstance(tag, str) else tag)
_OF_EVERY_KIND: Final[Mapping[str, Callable[[Any], Any]]] = {"purpose": _purpose, "tags": _TAGS}
_OF_FIELD: Final[Mapping[tuple[str, str], Callable[[Any], Any]]] = {
    (Kind.FIREWALL, "inbound_rules"): _each(_firewall_rule),
    (Kind.FIREWALL, "outbound_rules"): _each(_firewall_rule),
    (Kind.DNS_ZONE, "name"): _host_name,
    (Kind.DNS_ZONE, "records"): _each(_dns_record),
}
