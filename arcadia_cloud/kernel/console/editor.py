"""Pages of rows that operators write by hand: added and edited by those who may, every change logged."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from django.db.models import Model
from django.forms import BaseForm
from django.http import HttpRequest

from arcadia_cloud.kernel.console.actions import ActionsAdmin
from arcadia_cloud.kernel.console.formatting import or_nothing
from arcadia_cloud.kernel.console.records import BoundedAdmin

M = TypeVar("M", bound=Model)


class EditorAdmin(ActionsAdmin[M], BoundedAdmin[M]):
    """A list, and a form per row, for rows that are added and edited by permission and mostly not deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.add_{self.opts.model_name}")

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Describe each change in the log, with the old value and the new one."""
        rows = [part for formset in formsets or () for part in formset.forms if part.has_changed()]
        described = [*describe_changes(form), *(text for row in rows for text in _describe_row(row))]
        return "; ".join(described) or "Nothing changed."


def describe_changes(form: BaseForm) -> Iterator[str]:
    """Yield each changed field of a form, as `price cents: 750 → 800`."""
    for name in form.changed_data:
        if name in form.cleaned_data and name != "DELETE":
            old, new = form.get_initial_for_field(form.fields[name], name), form.cleaned_data[name]
            yield f"{name.replace('_', ' ')}: {or_nothing(old)} → {or_nothing(new)}"


def _describe_row(form: Any) -> Iterable[str]:
    """Describe what became of a row of an inline form: removed, added or changed."""
    if form.cleaned_data.get("DELETE"):
        return [f"{form.instance}: removed"]
    return [f"{form.instance}: {text}" for text in describe_changes(form)]
