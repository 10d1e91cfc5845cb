"""The forms of what is done to drift: in the dialogs of one row, and on the page for many."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms

from arcadia_cloud.kernel.console.theme import DialogForm, OneLineInput, ThemedSelect
from drift.values import DriftAction

MOST_AT_ONCE: Final = 500
_MOST_DIGITS: Final = 18
_FOR_GOOD: Final = "0"
_SNOOZES: Final = (("1", "a day"), ("7", "a week"), ("30", "30 days"), (_FOR_GOOD, "for good"))


class NoteForm(DialogForm):
    """A note for the row's history."""

    note = forms.CharField(label="Note", max_length=500, required=False, widget=OneLineInput)


class IgnoreFields(forms.Form):
    """The reason of an ignore rule, and for how long it holds."""

    reason = forms.CharField(label="Why", max_length=500, widget=OneLineInput)
    days = forms.ChoiceField(
        label="For",
        choices=_SNOOZES,
        initial="7",
        widget=ThemedSelect,
        help_text="It is in the inbox again afterwards.",
    )


class IgnoreForm(IgnoreFields, DialogForm):
    """The dialog of an ignore rule."""


class SelectionForm(forms.Form):
    """The rows that were selected, each with the cause that was seen, and the action."""

    action = forms.ChoiceField(
        choices=[(str(action), str(action)) for action in DriftAction], widget=forms.HiddenInput
    )
    rows = forms.CharField(widget=forms.HiddenInput)
    filters = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_rows(self) -> dict[int, str]:
        """Read the causes by id. The page wrote them itself, so what doesn't fit is no operator's slip."""
        pairs = [pair.partition(":") for pair in self.cleaned_data["rows"].split(",")]
        are_numbers = all(pk.isdecimal() and len(pk) <= _MOST_DIGITS for pk, _, _ in pairs)
        if len(pairs) > MOST_AT_ONCE or not are_numbers:
            raise forms.ValidationError("This is not a selection of the inbox.")
        return {int(pk): cause for pk, _, cause in pairs}


class ResolveForm(SelectionForm):
    """The selection, and a note for the rows' history."""

    reason = forms.CharField(label="Note", max_length=500, required=False, widget=OneLineInput)


class IgnoreManyForm(IgnoreFields, SelectionForm):
    """The selection, with the reason of the rules and for how long they hold."""


def form_for(action: str, *args: Any, **kwargs: Any) -> SelectionForm:
    """Return the form of the action's page."""
    return (IgnoreManyForm if action == DriftAction.IGNORE else ResolveForm)(*args, **kwargs)


def snooze_end(days: str, *, at: datetime) -> datetime | None:
    """Return when a rule of this choice expires; None: never."""
    return None if days == _FOR_GOOD else at + timedelta(days=int(days))
