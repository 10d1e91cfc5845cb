"""The way to a new draft: made by a service, logged, and opened."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from arcadia_cloud.kernel.console.actions import ActionsAdmin, redirect
from arcadia_cloud.kernel.errors import DomainError
from catalog.models import PlanVersion


def open_new_draft(
    page: ActionsAdmin[Any], request: HttpRequest, make: Callable[[], PlanVersion], *, refused: str
) -> HttpResponse:
    """Make a draft and go to its page; a refusal is shown on the page at the address `refused`."""
    try:
        draft = make()
    except DomainError as refusal:
        page.message_user(request, refusal.detail, messages.ERROR)
        return redirect(refused)
    page.log_addition(request, draft, "Drafted from the console.")
    page.message_user(request, f"{draft} is a draft: nothing that is sold has changed.", messages.SUCCESS)
    return redirect(reverse("admin:catalog_planversion_change", args=[draft.pk]))
