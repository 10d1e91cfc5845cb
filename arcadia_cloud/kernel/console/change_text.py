"""The changes of a form in words, for the log: each field with its old value and its new one."""

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model

from arcadia_cloud.kernel.console.formatting import or_nothing, yes_or_no

NOTHING_CHANGED: Final = "Nothing changed."
_LONGEST_VALUE: Final = 200
_CONTEXT: Final = 40  # characters before the first that differs
_MOST_NAMES: Final = 5
# Of these the log has that they changed, and no value.
_SECRET: Final = ("password", "secret", "token")


def describe_forms(form: forms.BaseForm, formsets: Iterable[Any]) -> str:
    """Describe the changes of a page: of its form, and of the rows below it."""
    described = list(describe_changes(form))
    for row in (part for formset in formsets for part in formset.forms if part.has_changed()):
        texts = ["removed"] if row.cleaned_data.get("DELETE") else describe_changes(row)
        described += [f"{row.instance}: {text}" for text in texts]
    return "; ".join(dict.fromkeys(described)) or NOTHING_CHANGED


def describe_changes(form: forms.BaseForm) -> Iterator[str]:
    """Yield each changed field of a form, as `price cents: 750 → 800`."""
    for name in form.changed_data:
        field, label = form.fields.get(name), name.replace("_", " ")
        if any(word in name for word in _SECRET):
            # Django's form of a password names it in one word, its fields number it.
            yield "password: changed" if "password" in name else f"{label}: changed"
            continue
        if field is None or name not in form.cleaned_data or name == "DELETE":
            continue
        old, new = form.get_initial_for_field(field, name), form.cleaned_data[name]
        if isinstance(field, forms.ModelMultipleChoiceField):
            yield f"{label}: {_describe_choices(_names_of(field, old), _names_of(field, new))}"
        else:
            before, after = _value_text(field, old), _value_text(field, new)
            # A form may round what it shows, as the seconds of a time: that is no change to read.
            if before != after:
                yield f"{label}: {' → '.join(_shorten_both(before, after))}"


def _value_text(field: forms.Field, value: Any) -> str:
    """Return a field's value on one line: a row by its name, though a form's initial value is its key."""
    if isinstance(field, forms.ModelChoiceField) and value not in (None, "") and not isinstance(value, Model):
        try:
            value = field.to_python(value)
        except ValidationError:
            value = f"number {value}"  # the row is gone, or no choice any more
    if isinstance(value, bool):
        value = yes_or_no(value)
    return " ".join(or_nothing(value).split())


def _shorten_both(old: str, new: str) -> tuple[str, str]:
    """Cut long values to where they differ."""
    if max(len(old), len(new)) <= _LONGEST_VALUE:
        return old, new
    same = takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))
    start = max(0, sum(1 for _ in same) - _CONTEXT)
    parts = [text[start : start + _LONGEST_VALUE] for text in (old, new)]
    ends = [start + _LONGEST_VALUE < len(text) for text in (old, new)]
    first, second = (f"{'…' * bool(start)}{part}{'…' * end}" for part, end in zip(parts, ends, strict=True))
    return first, second


def _names_of(field: forms.ModelMultipleChoiceField[Any], values: Iterable[Any] | None) -> list[str]:
    """Return the chosen rows' names, in their order."""
    chosen = list(values or ())
    keys = [value for value in chosen if not isinstance(value, Model)]
    rows = [value for value in chosen if isinstance(value, Model)]
    if keys:
        rows += list(field.queryset.filter(pk__in=keys)) if field.queryset is not None else []
    return sorted(str(row) for row in rows)


def _describe_choices(old: list[str], new: list[str]) -> str:
    """Describe a changed choice of many: both sides where they are short, else what came and went."""
    if len(old) <= _MOST_NAMES and len(new) <= _MOST_NAMES:
        return f"{or_nothing(', '.join(old))} → {or_nothing(', '.join(new))}"
    came = [f"+ {name}" for name in new if name not in old]
    went = [f"- {name}" for name in old if name not in new]
    return f"{len(old)} → {len(new)}: {', '.join([*came, *went])}"
