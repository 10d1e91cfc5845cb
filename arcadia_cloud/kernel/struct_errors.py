"""The rule that a value breaks, in words: msgspec's messages name Python's types and regular expressions."""

import re
from typing import Any, Final

import msgspec

_NAMED_FIELD: Final = re.compile(r"(?:missing required|unknown) field `(?P<name>[^`]*)`")
_BOUND: Final = re.compile(
    r"Expected `(?P<type>\w+)`(?P<of_length> of length)? (?P<sign>>=|<=|>|<) (?P<bound>\S+)"
)
_TYPES: Final = re.compile(r"Expected `(?P<types>[^`]+)`")
_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_STEPS: Final = re.compile(r"\[[^]]*\]|[^.\[\]]+")
_SIGNS: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def field_and_rule(
    error: msgspec.ValidationError, struct: type[msgspec.Struct], *, root: str
) -> tuple[str, str]:
    """Return the field of a `struct` that an error is about, as `inputs.size`, and the rule that it breaks.

    `root` is the name of the whole.
    """
    # Its field is named in msgspec's message: "Expected `int`, got `str` - at `$.size`", or in its rule.
    rule, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`")
    named = _NAMED_FIELD.search(rule)
    field = f"{root}{path}.{named['name']}" if named else f"{root}{path}"
    return field, _describe_rule(rule, _description(struct, path))


def _description(struct: type[msgspec.Struct], path: str) -> str:
    """Return the description of the field at a path, as `.droplets[0].key`: it has the form of the value."""
    schema = msgspec.json.schema(struct)
    place: dict[str, Any] = schema
    for name in ["", *_STEPS.findall(path)]:
        if name:
            place = place.get("items" if name.startswith("[") else "properties", {})
            place = place if name.startswith("[") else place.get(name, {})
        if reference := place.get("$ref"):
            place = schema["$defs"][reference.rpartition("/")[2]]
    return str(place.get("description", ""))


def _describe_rule(rule: str, description: str) -> str:
    words = rule
    if "missing required field" in rule:
        words = "Is required."
    elif "unknown field" in rule:
        words = "There is no such field."
    elif "matching regex" in rule:
        words = f"Isn't written as it must be. {description}".rstrip()
    elif bound := _BOUND.match(rule):
        limit = f"{_SIGNS[bound['sign']]} {bound['bound']}"
        one, many = ("entry", "entries") if bound["type"] == "array" else ("character", "characters")
        noun = one if bound["bound"] == "1" else many
        words = f"Must have {limit} {noun}." if bound["of_length"] else f"Must be {limit}."
    elif types := _TYPES.match(rule):
        words = f"Must be {' or '.join(_WORDS.get(name, name) for name in types['types'].split(' | '))}."
    return words
