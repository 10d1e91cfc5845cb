"""A form for the inputs of a workflow, made from their schema."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from django import forms
from django.utils.functional import cached_property

from arcadia_cloud.kernel.console.theme import Checkbox, ManyLinesInput, OneLineInput, ThemedSelect
from provisioning.contract import Workflow

_ONE_LINE: Final = 255  # what is longer gets a box of several lines
_PREFIX: Final = "inputs."


class StartForm(forms.Form):
    """The inputs of a workflow, and when it starts. Times are UTC.

    `key` makes the second of two clicks harmless: both start the same saga.
    """

    key = forms.CharField(widget=forms.HiddenInput, max_length=100, initial=lambda: secrets.token_urlsafe(16))
    start_at = forms.DateTimeField(
        label="Start at",
        required=False,
        widget=OneLineInput(attrs={"type": "datetime-local"}),
        help_text="UTC. Empty: at once. It holds nothing before, and is checked again when it begins.",
    )
    not_after = forms.DateTimeField(
        label="Not after",
        required=False,
        widget=OneLineInput(attrs={"type": "datetime-local"}),
        help_text="UTC. What couldn't begin by then ends, nothing done. Empty: it waits as long as it takes.",
    )

    def __init__(self, workflow: Workflow, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        schema = msgspec.json.schema(workflow.inputs)["$defs"][workflow.inputs.__name__]
        self._properties: Mapping[str, dict[str, Any]] = schema.get("properties", {})
        required = set(schema.get("required", ()))
        for name, spec in self._properties.items():
            self.fields[name] = _build_field(name, spec, is_required=name in required)
        self.order_fields([*self._properties, "start_at", "not_after", "key"])

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The inputs as the workflow takes them; what was left empty has its default."""
        values: dict[str, Any] = {}
        for name, spec in self._properties.items():
            value, types = self.cleaned_data[name], _types_of(spec)
            # Left out, not sent empty: the workflow's default is its own to decide.
            if value is None or (value == "" and "default" in spec):
                continue
            if "array" in types:
                items = _types_of(spec.get("items", {}))
                values[name] = [_number_or_text(line, items) for line in value.split("\n") if line.strip()]
            else:
                values[name] = _number_or_text(value, types) if isinstance(value, str) else value
        return values

    def add_refusal(self, errors: Mapping[str, Iterable[str]], detail: str) -> None:
        """Show a refusal at the fields that it names, or above the form."""
        fields = {name.removeprefix(_PREFIX): list(rules) for name, rules in errors.items()}
        for name, rules in fields.items():
            self.add_error(name if name in self.fields else None, rules)
        if not fields:
            self.add_error(None, detail)


def _types_of(spec: Mapping[str, Any]) -> set[str]:
    return {str(option.get("type", "object")) for option in spec.get("anyOf", [spec])}


def _build_field(name: str, spec: Mapping[str, Any], *, is_required: bool) -> forms.Field:
    types = _types_of(spec)
    common: dict[str, Any] = {
        "label": name.replace("_", " ").capitalize(),
        "help_text": spec.get("description", ""),
        "required": is_required,
        "initial": spec.get("default"),
    }
    if "enum" in spec:
        choices = [(value, str(value).replace("_", " ")) for value in spec["enum"]]
        return forms.ChoiceField(**common, choices=choices, widget=ThemedSelect)
    if types == {"boolean"}:
        return forms.BooleanField(**{**common, "required": False}, widget=Checkbox)
    if types <= {"integer", "null"}:
        common |= {"min_value": spec.get("minimum"), "max_value": spec.get("maximum")}
        return forms.IntegerField(**common, widget=OneLineInput(attrs={"type": "number"}))
    if "array" in types:
        common["help_text"] = f"{common['help_text']} One a line.".strip()
        initial = "\n".join(map(str, common["initial"] or ()))
        return forms.CharField(**{**common, "initial": initial}, widget=ManyLinesInput)
    if "object" in types:
        return forms.JSONField(**common, widget=ManyLinesInput)
    longest = spec.get("maxLength")
    widget = OneLineInput if longest is None or longest <= _ONE_LINE else ManyLinesInput
    return forms.CharField(**common, max_length=longest, strip=True, widget=widget)


def _number_or_text(text: str, types: set[str]) -> int | str:
    """Return a number where the schema takes one as well as a text, and the text is one."""
    text = text.strip()
    return int(text) if "integer" in types and text.isdecimal() else text
