"""The path to a page, with its list named as in the navigation, so that the two never differ."""

from typing import Any, Final
from urllib.parse import urlsplit

from django import template
from django.db.models import Model
from django.urls import reverse
from django.utils.text import capfirst

register = template.Library()

Step = dict[str, str]  # `title`, and `link` where it is another page
_HISTORY: Final = "History"


@register.simple_tag(takes_context=True)
def page_path(context: template.Context) -> list[Step]:
    """Return the steps to the page, itself last."""
    entry = _entry_above(context)
    title = str(context.get("title") or "")
    if entry is None:
        above = _list_of_model(context)
    elif urlsplit(str(entry["link"])).path == context["request"].path:
        return [{"title": str(entry["title"])}]
    else:
        above = [{"title": str(entry["title"]), "link": str(entry["link"])}]
    if context.get("cl"):
        return [{"title": step["title"]} for step in above]
    row = context.get("original") or context.get("object")
    if not isinstance(row, Model):
        return [*above, {"title": title}]
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    if context["request"].path == address:
        return [*above, {"title": str(row)}]
    if "action_list" in context:
        title = _HISTORY
    return [*above, {"title": str(row), "link": address}, {"title": title}]


@register.simple_tag(takes_context=True)
def page_title(context: template.Context) -> str:
    """Return the steps from the page upwards, as a browser's tab shows them."""
    return " | ".join(step["title"] for step in reversed(page_path(context)))


def _entry_above(context: template.Context) -> dict[str, Any] | None:
    """Return the navigation's entry whose page this is, or below whose address it stands.

    Of two with one address, as all resources and those without an owner, it is the present one.
    """
    here = context["request"].path
    home = reverse("admin:index")
    entries = [entry for group in context.get("sidebar_navigation") or () for entry in group["items"]]
    found = [
        (len(path), bool(entry.get("active")), -place)
        for place, entry in enumerate(entries)
        if here.startswith(path := urlsplit(str(entry["link"])).path) and (path != home or here == home)
    ]
    return entries[-max(found)[2]] if found else None


def _list_of_model(context: template.Context) -> list[Step]:
    """Return the list that a page without an entry belongs to, by its model; none for a page of its own."""
    options = context.get("opts")
    if options is None:
        return []
    link = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return [{"title": str(capfirst(options.verbose_name_plural)), "link": link}]
