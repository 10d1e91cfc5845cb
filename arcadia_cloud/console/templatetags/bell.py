"""The bell in the head of every page."""

from typing import Any

from django import template
from django.urls import reverse

# Nothing of the theme may be imported here: it loads the template libraries while it is itself imported.
from arcadia_cloud.console.bell import MOST_COUNTED, count_awake_alerts

register = template.Library()


@register.inclusion_tag("console/bell.html", takes_context=True)
def bell(context: dict[str, Any]) -> dict[str, Any]:
    """Show how many alerts are open, with a link to them; nothing for those who may not see alerts."""
    request = context["request"]
    if not request.user.has_perm("kernel.view_alert"):
        return {"is_shown": False}
    count = count_awake_alerts(request)
    many = f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"
    return {
        "is_shown": True,
        "count": count,
        "many": many,
        "name": f"{many} open alert{'' if count == 1 else 's'}" if count else "No open alert",
        "href": f"{reverse('admin:kernel_alert_changelist')}?state=awake",
    }
