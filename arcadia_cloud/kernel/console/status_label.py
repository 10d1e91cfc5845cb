"""Status labels: a word on the colour of its meaning."""

from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


def label(text: str, **looks: str) -> SafeString:
    """Return the theme's label; `looks` are its template's `variant` and `class`."""
    return render_to_string("unfold/helpers/label.html", {"text": text, **looks})


def status_label(status: str, colours: Mapping[str, str]) -> SafeString:
    """Return a status as a label in its colour; a status without one has the neutral colour."""
    return label(status, variant=colours.get(status, ""))
