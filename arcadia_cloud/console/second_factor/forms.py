"""Forms of the second factor, in the theme."""

from django import forms

from arcadia_cloud.kernel.console.theme import OneLineInput

# One-time codes: phones offer them above the keyboard, browsers don't keep them.
_INPUT = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        label="Code", max_length=32, widget=OneLineInput(attrs={**_INPUT, "autofocus": True})
    )


class EnrolmentForm(forms.Form):
    """The first code of a new app."""

    new_code = forms.CharField(
        label="Code that the app shows",
        max_length=16,
        widget=OneLineInput(attrs={**_INPUT, "inputmode": "numeric"}),
    )


class ReplacementForm(EnrolmentForm):
    """The first code of a new app, and one of what it replaces."""

    code = forms.CharField(
        label="Code of the present app, or a recovery code", max_length=32, widget=OneLineInput(attrs=_INPUT)
    )
