"""The comparison: a table for each rule, and its properties."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drift.comparison import Difference, are_equal, cause_of, compare

EQUAL: list[tuple[str, str, str, Any, Any]] = [
    ("a scalar is its text", "droplet", "vcpus", 1, "1"),
    ("a scalar is its text", "droplet", "locked", True, "true"),
    ("a scalar is its text", "droplet", "locked", "false", False),
    ("a number is its value", "droplet", "disk_gb", 1, 1.0),
    ("a number is its value", "droplet", "disk_gb", Decimal("25.00"), 25),
    ("a number is its value", "droplet", "disk_gb", 1, "1.0"),
    ("a number is its value", "droplet", "disk_gb", -0.0, 0),
    ("a list is a set", "droplet", "volume_ids", ["a", "b"], ["b", "a"]),
    ("a list is a set", "droplet", "volume_ids", ["a", "b", "a"], ["b", "a"]),
    ("a list is a set", "droplet", "volume_ids", [1, "2.0"], [2, "1"]),
    ("a list is a set", "droplet", "volume_ids", [], []),
    ("a volume's droplet by its number", "volume", "droplet_ids", [4711], ["4711"]),
    ("a database's tags", "database", "tags", ["engine:pg", "Prod"], ["prod", "engine:pg"]),
    ("an address's droplet by its number", "reserved_ip", "droplet_id", 4711, "4711"),
    ("an object has the same rule inside", "droplet", "gpu", {"count": 1, "models": ["a", "b"]},
     {"models": ["b", "a", "a"], "count": "1"}),
    ("a list of objects is a set of them", "app", "domains", [{"a": [1, 2]}, {"b": 1.0}],
     [{"b": "1.0"}, {"a": ["2", 1]}]),
    ("tags keep the capitals of the first", "droplet", "tags", ["Web", "env:test"], ["env:test", "web"]),
    ("every port", "firewall", "inbound_rules", [{"protocol": "tcp", "ports": "0"}],
     [{"protocol": "tcp", "ports": "all"}]),
    ("every port", "firewall", "inbound_rules", [{"protocol": "tcp", "ports": 0}],
     [{"protocol": "tcp", "ports": ""}]),
    ("every port", "firewall", "outbound_rules", [{"protocol": "icmp"}],
     [{"protocol": "icmp", "ports": None}]),
    ("rules are a set", "firewall", "inbound_rules",
     [{"protocol": "tcp", "ports": "22"}, {"protocol": "udp", "ports": "all", "addresses": ["::/0", "x"]}],
     [{"protocol": "udp", "ports": "0", "addresses": ["x", "::/0"]}, {"protocol": "tcp", "ports": 22}]),
    ("peers stand in the rule or in their own object", "firewall", "inbound_rules",
     [{"protocol": "tcp", "ports": "22",
       "sources": {"droplet_ids": [7], "load_balancer_uids": ["x"], "tags": []}}],
     [{"protocol": "tcp", "ports": "22", "droplet_ids": ["7"], "load_balancer_ids": ["x"]}]),
    ("peers' tags keep the capitals of the first", "firewall", "inbound_rules",
     [{"protocol": "tcp", "ports": "22", "tags": ["Web"]}],
     [{"protocol": "tcp", "ports": "22", "tags": ["web"]}]),
    ("a dot at the end of a host's name", "dns_zone", "records",
     [{"type": "CNAME", "name": "www", "data": "Shop.example.com."}],
     [{"type": "CNAME", "name": "www", "data": "shop.example.com"}]),
    ("a record's id and nulls don't count", "dns_zone", "records",
     [{"type": "A", "name": "@", "data": "192.0.2.1", "priority": None, "id": 4}],
     [{"type": "A", "name": "@", "data": "192.0.2.1"}]),
    ("a zone's name", "dns_zone", "name", "example.com.", "Example.com"),
    ("a purpose of one's own", "droplet", "purpose", "Other: backups", "backups"),
]  # fmt: skip
DIFFERENT: list[tuple[str, str, str, Any, Any]] = [
    ("texts are equal letter by letter", "database", "version", "1.10", "1.1"),
    ("texts are equal letter by letter", "droplet", "name", "web", "Web"),
    ("texts are equal letter by letter", "droplet", "name", "web", "web "),
    ("a text that spells no number", "droplet", "vcpus", 1, "01"),
    ("a number is its value", "droplet", "disk_gb", 25, 25.5),
    ("true is no number", "droplet", "vcpus", 1, True),
    ("null is compared", "droplet", "gpu", {"count": 1}, None),
    ("null is compared", "droplet", "gpu", None, ""),
    ("null is no text", "droplet", "gpu", None, "null"),
    ("a list is a set", "droplet", "volume_ids", ["a", "b"], ["a"]),
    ("a list is a set", "droplet", "volume_ids", ["1"], ["1.0"]),
    ("a list is no scalar", "droplet", "volume_ids", ["a"], "a"),
    ("an object lacks a member", "droplet", "image", {"id": 1, "slug": "x"}, {"id": 1}),
    ("another droplet", "volume", "droplet_ids", ["4711"], ["4712"]),
    ("no droplet", "volume", "droplet_ids", ["4711"], []),
    ("a database's tags", "database", "tags", ["engine:pg"], []),
    ("an app's project", "app", "project", "acme", "globex"),
    ("a bucket's project", "spaces_bucket", "project", "acme", "globex"),
    ("assigned elsewhere", "reserved_ip", "droplet_id", "4711", "4712"),
    ("assigned to none", "reserved_ip", "droplet_id", "4711", None),
    ("within a list of objects", "app", "domains", [{"a": 1}, {"b": 1}], [{"a": 1}, {"b": 2}]),
    ("tags", "droplet", "tags", ["web"], ["web", "db"]),
    ("ports", "firewall", "inbound_rules", [{"protocol": "tcp", "ports": "22"}],
     [{"protocol": "tcp", "ports": "all"}]),
    ("ports of another field are text", "load_balancer", "ports", "0", "all"),
    ("peers", "firewall", "inbound_rules", [{"protocol": "tcp", "ports": "22", "addresses": ["::/0"]}],
     [{"protocol": "tcp", "ports": "22"}]),
    ("a dot in a text record is text", "dns_zone", "records", [{"type": "TXT", "name": "@", "data": "a."}],
     [{"type": "TXT", "name": "@", "data": "a"}]),
    ("no host at all", "dns_zone", "records", [{"type": "MX", "name": "@", "data": "."}],
     [{"type": "MX", "name": "@", "data": ""}]),
    ("data", "dns_zone", "records", [{"type": "A", "name": "@", "data": "192.0.2.1"}],
     [{"type": "A", "name": "@", "data": "192.0.2.2"}]),
]  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
JSON = st.recursive(
    SCALARS, lambda of: st.lists(of, max_size=4) | st.dictionaries(TEXTS, of, max_size=4), max_leaves=12
)
SPECS = st.dictionaries(TEXTS.filter(lambda name: name != "exists"), JSON, min_size=1, max_size=5)
PLACES = st.sampled_from(
    [("droplet", "size_slug"), ("firewall", "inbound_rules"), ("dns_zone", "records"), ("droplet", "tags")]
)


@pytest.mark.parametrize(("rule", "kind", "field", "one", "other"), EQUAL)
def test_values_that_are_the_same(rule: str, kind: str, field: str, one: Any, other: Any) -> None:
    assert are_equal(kind, field, one, other), rule
    assert are_equal(kind, field, other, one), rule


@pytest.mark.parametrize(("rule", "kind", "field", "one", "other"), DIFFERENT)
def test_values_that_differ(rule: str, kind: str, field: str, one: Any, other: Any) -> None:
    assert not are_equal(kind, field, one, other), rule
    assert not are_equal(kind, field, other, one), rule
    assert compare(kind, {field: one}, {field: other}) == [Difference(field, one, other)]


def test_a_field_that_the_live_row_lacks_is_unknown_and_one_that_is_null_is_compared() -> None:
    assert compare("droplet", {"gpu": None, "vpc_uuid": "v"}, {}) == []
    assert compare("droplet", {"vpc_uuid": "v"}, {"vpc_uuid": None}) == [Difference("vpc_uuid", "v", None)]


def test_existence_is_no_field_of_a_desired_state() -> None:
    assert compare("droplet", {"exists": True}, {"exists": False}) == []


def test_a_cause_is_the_same_for_values_that_are_only_written_otherwise() -> None:
    cause = cause_of("droplet", "tags", ["a", "b"], [1, True])
    assert cause_of("droplet", "tags", ["b", "A", "a"], ["true", "1"]) == cause
    assert len(cause) == 32
    others = [
        cause_of("volume", "tags", ["a", "b"], [1, True]),
        cause_of("droplet", "features", ["a", "b"], [1, True]),
        cause_of("droplet", "tags", ["a"], [1, True]),
        cause_of("droplet", "tags", ["a", "b"], [1]),
        cause_of("droplet", "tags", [1, True], ["a", "b"]),
    ]
    assert cause not in others
    assert len(set(others)) == len(others)


@given(kind_and_field=PLACES, value=JSON)
def test_what_went_through_json_is_the_same(kind_and_field: tuple[str, str], value: Any) -> None:
    assert are_equal(*kind_and_field, value, json.loads(json.dumps(value)))
    exact = json.loads(json.dumps(value), parse_float=Decimal)
    assert are_equal(*kind_and_field, value, exact)
    assert cause_of(*kind_and_field, value, exact) == cause_of(*kind_and_field, exact, value)


@given(kind_and_field=PLACES, items=st.lists(JSON, max_size=6), data=st.data())
def test_a_list_in_any_order_and_repetition_is_the_same(
    kind_and_field: tuple[str, str], items: list[Any], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(items), max_size=4)) if items else []
    assert are_equal(*kind_and_field, items, data.draw(st.permutations([*items, *again])))


@given(spec=SPECS, data=st.data())
def test_a_changed_field_is_found_and_only_that(spec: dict[str, Any], data: st.DataObject) -> None:
    changed = data.draw(st.sampled_from(sorted(spec)))
    assume(changed not in {"tags", "purpose"})
    # Another letter at its end makes another text of any; of what is no text, a text that spells none of it.
    present = spec[changed]
    value = f"{present}x" if isinstance(present, str) else data.draw(st.sampled_from(["not it", ["not it"]]))
    assume(present != value)
    assert compare("app", spec, {**spec, changed: value}) == [Difference(changed, present, value)]


@given(kind_and_field=PLACES, one=JSON, other=JSON)
def test_neither_side_comes_first(kind_and_field: tuple[str, str], one: Any, other: Any) -> None:
    assert are_equal(*kind_and_field, one, other) == are_equal(*kind_and_field, other, one)
