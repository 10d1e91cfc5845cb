"""The text of an empty list."""

from typing import Any

from django import template
from django.urls import reverse

from arcadia_cloud.console.empty_lists import EMPTY_LISTS

register = template.Library()


@register.simple_tag(takes_context=True)
def empty_list(context: template.RequestContext, model: Any) -> dict[str, str]:
    """Return why the model's list is empty, and the link to what fills it, if the user may open it."""
    explained = EMPTY_LISTS.get(model._meta.label_lower)
    if explained is None:
        return {}
    user = context.request.user
    if not explained.page or (explained.needs and not user.has_perm(explained.needs)):
        return {"words": explained.words}
    return {"words": explained.words, "href": reverse(explained.page), "link": explained.link}
