"""Actions on rows: buttons behind dialogs, run for one row or for a selection, and logged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar, cast

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from arcadia_cloud.kernel.console.formatting import value_text
from arcadia_cloud.kernel.console.lookups import is_key_of
from arcadia_cloud.kernel.console.theme import ThemedAdmin
from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.scoping import OPERATOR_PREFIX

M = TypeVar("M", bound=Model)

MOST_AT_ONCE: Final = 500
_REFUSALS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Button:
    """A button that opens a dialog; `name` distinguishes it from the others of its page."""

    name: str
    words: str
    icon: str
    href: str


class ActionsAdmin(ThemedAdmin[M]):
    """Runs services for an operator, one row or many, and shows what they refuse.

    A row's page has the buttons that fit the row, which its template draws where they belong; that of
    `kernel/record.html` draws them above the fields. `logged_fields` are those whose change by an action is
    logged with it, as `state: active → paused`.
    """

    logged_fields: ClassVar[tuple[str, ...]] = ()

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Return none for the page's head: the theme would show those that don't fit the row, too."""
        return []

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context["actions"] = self.available_actions(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def available_actions(self, request: HttpRequest, row: M) -> list[Button]:
        """Return the buttons that the row's own page shows; none unless an admin offers some."""
        return []

    def buttons(self, row: M, fitting: Mapping[str, bool]) -> list[Button]:
        """Return a button for each action whose condition holds, in their order."""
        return [self.button(name, row) for name, fits in fitting.items() if fits]

    def button(self, name: str, row: M) -> Button:
        """Return the button that opens the dialog of the action `name` on the row's page."""
        made = self.get_unfold_action(name)  # type: ignore[attr-defined] # the theme's; it has no types
        return Button(name, made.description, made.icon, reverse(f"admin:{made.action_name}", args=[row.pk]))

    def run_action(
        self, request: HttpRequest, object_id: str, call: Callable[[int], M], *, logged: str, message: str
    ) -> HttpResponse:
        """Call a service with a row's id, once its dialog is posted, and log it.

        Goes to the page of the row that `call` returns. A refusal is shown and not logged.
        """
        if not is_key_of(self.model, object_id):
            raise Http404
        shown = int(object_id)
        try:
            row = self._call_and_log(request, shown, call, logged)
        except DomainError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
        else:
            self.message_user(request, message, messages.SUCCESS)
            shown = row.pk
        return redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[shown]))

    def run_action_on_each(
        self, request: HttpRequest, queryset: QuerySet[M], call: Callable[[int], M], *, logged: str
    ) -> None:
        """Call a service for each row of a selection: a refusal is shown and holds up none of the others."""
        chosen = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            self.message_user(request, f"At most {MOST_AT_ONCE} at once: narrow the list.", messages.ERROR)
            return
        refusals: list[str] = []
        for pk in chosen:
            try:
                self._call_and_log(request, pk, call, logged)
            except DomainError as refusal:
                refusals.append(refusal.detail)
        for detail in refusals[:_REFUSALS_SHOWN]:
            self.message_user(request, detail, messages.ERROR)
        if len(refusals) > _REFUSALS_SHOWN:
            more = len(refusals) - _REFUSALS_SHOWN
            self.message_user(request, f"{more} more were refused.", messages.ERROR)
        self.message_user(request, f"{len(chosen) - len(refusals)} done.", messages.SUCCESS)

    def _call_and_log(self, request: HttpRequest, pk: int, call: Callable[[int], M], logged: str) -> M:
        """Call a service with a row's id and log it, with the fields that it changed. Raises DomainError."""
        before = self.get_object(request, str(pk)) if self.logged_fields else None
        row = call(pk)
        # Of a new row, as a draft made from another, nothing has changed.
        values = {
            name: (getattr(before, name), getattr(row, name)) for name in self.logged_fields if row == before
        }
        changes = [
            f"{name.replace('_', ' ')}: {value_text(old)} → {value_text(new)}"
            for name, (old, new) in values.items()
            if old != new
        ]
        self.log_change(request, row, "; ".join([logged.rstrip("."), *changes]) if changes else logged)
        return row


def actor_of(request: HttpRequest) -> str:
    """Return the operator's name as services and history store it: `user:<name>`."""
    return f"{OPERATOR_PREFIX}{request.user.get_username()}"


def log_without_row(request: HttpRequest, model: type[Model], about: str, message: str) -> None:
    """Log a change that is no single row's, under the model's name."""
    LogEntry.objects.create(
        user=cast("User", request.user),
        content_type=ContentType.objects.get_for_model(model),
        object_repr=about,
        action_flag=CHANGE,
        change_message=message,
    )


def redirect(address: str) -> HttpResponse:
    """Return what makes the page behind a dialog go to `address`: a 302 would load it into the dialog."""
    return HttpResponse(headers={"HX-Redirect": address})


def redirect_to_list(model: type[Model]) -> HttpResponse:
    """Return what makes the page behind a dialog go to the model's list."""
    options: Any = model._meta
    return redirect(reverse(f"admin:{options.app_label}_{options.model_name}_changelist"))
