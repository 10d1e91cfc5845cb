"""The rules of a saga's inputs, in words: msgspec's messages name Python's types and regular expressions."""

import re
from typing import Any, Final

import msgspec

from provisioning.contract import Inputs

_NAMED_FIELD: Final = re.compile(r"(?:missing required|unknown) field `(?P<name>[^`]*)`")
_BOUND: Final = re.compile(r"Expected `\w+`(?P<of_length> of length)? (?P<sign>>=|<=|>|<) (?P<bound>\S+)")
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
_SIGNS: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def field_and_rule(error: msgspec.ValidationError, inputs: type[Inputs]) -> tuple[str, str]:
    """Return the field that an error is about, as `inputs.size`, and the rule that it breaks, in words."""
    # Its field is named in msgspec's message: "Expected `int`, got `str` - at `$.size`", or in its rule.
    rule, _, path = str(error).partition(" - at `$")
    named = _NAMED_FIELD.search(rule)
    places = [place for place in (path.rstrip("`").strip("."), named["name"] if named else "") if place]
    # The workflow's description of the field has the form of its value.
    schema: dict[str, Any] = msgspec.json.schema(inputs)["$defs"][inputs.__name__]
    name = re.split(r"[.\[]", places[0] if places else "")[0]
    description = str(schema["properties"].get(name, {}).get("description", ""))
    return ".".join(["inputs", *places]), _describe_rule(rule, description)


def _describe_rule(rule: str, description: str) -> str:
    if "missing required field" in rule:
        return "Is required."
    if "unknown field" in rule:
        return "There is no such field."
    if "matching regex" in rule:
        return f"Isn't written as it must be. {description}".rstrip()
    if bound := _BOUND.match(rule):
        what = " characters or entries" if bound["of_length"] else ""
        verb = "Must have" if bound["of_length"] else "Must be"
        return f"{verb} {_SIGNS[bound['sign']]} {bound['bound']}{what}."
    if types := _TYPES.match(rule):
        return f"Must be {' or '.join(_WORDS.get(name, name) for name in types['types'].split(' | '))}."
    return rule
