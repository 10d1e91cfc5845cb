"""The console's plans: what is sold, to whom, and the versions of its prices."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from arcadia_cloud.kernel.console.actions import Button, actor_of
from arcadia_cloud.kernel.console.editor import EditorAdmin
from arcadia_cloud.kernel.console.formatting import yes_or_no
from arcadia_cloud.kernel.console.lookups import is_key_of
from arcadia_cloud.kernel.console.theme import DialogForm, ThemedTabularInline, action, display
from catalog.admin.drafts import open_new_draft
from catalog.admin.formatting import STATUS_COLOURS, format_cents, format_count
from catalog.hooks import count_subscribers
from catalog.models import Plan, PlanTenant
from catalog.services import create_draft
from catalog.states import VersionStatus


class PlanTenantInline(ThemedTabularInline[PlanTenant, Plan]):
    """The tenants that a plan is offered to while it isn't public."""

    model = PlanTenant
    extra = 0
    verbose_name = "tenant"
    verbose_name_plural = "offered to, while it isn't public"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Show a tenant's id on one line: it is a text without a limit."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "tenant_id" and field is not None:
            field.widget.attrs["rows"] = 1
        return field


@admin.register(Plan)
class PlanAdmin(EditorAdmin[Plan]):
    """Plans in the order in which they are shown. One that is no longer sold is made not public."""

    change_form_template = "catalog/plan.html"
    list_display = ("name", "code", "is_public", "active_price", "versions_count", "sort")
    search_fields = ("code", "name")
    search_help_text = "Code or name"
    ordering = ("sort", "code")
    sortable_by = ()
    fields = ("code", "name", "description", "public", "sort")
    inlines = (PlanTenantInline,)
    actions_detail = ("draft_this",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return super().get_queryset(request).prefetch_related("versions")

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> tuple[str, ...]:
        """Return the code once it is given: clients know the plan by it."""
        return () if obj is None else ("code",)

    def available_actions(self, request: HttpRequest, row: Plan) -> list[Button]:
        """Return the button of a new draft."""
        return self.buttons(row, {"draft_this": self.has_draft_permission(request)})

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Plan | None = None,
    ) -> HttpResponse:
        """Add the versions, newest first, with the subscriptions of each."""
        if obj is not None:
            versions = list(obj.versions.order_by("-number"))
            counts = count_subscribers([version.pk for version in versions])
            context["versions"] = [
                {
                    "row": version,
                    "price": format_cents(version.base_price_cents, version.currency),
                    "colour": STATUS_COLOURS[version.status],
                    "subscribers": format_count(counts, version.pk),
                }
                for version in versions
            ]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def has_draft_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may make drafts."""
        return request.user.has_perm("catalog.add_planversion")

    @action(
        description="New draft",
        permissions=["draft"],
        icon="edit_note",
        dialog={
            "title": "Make a new draft?",
            "description": "It begins with the terms of the active version, or of the last one. "
            "Nothing that is sold changes until it is published.",
            "form_submit_text": "Make a draft",
        },
    )
    def draft_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Make a draft of the plan of this page and go to it."""
        if not is_key_of(Plan, object_id):
            raise Http404
        return open_new_draft(
            self,
            request,
            lambda: create_draft(plan_pk=int(object_id), actor=actor_of(request)),
            refused=reverse("admin:catalog_plan_changelist"),
        )

    @display(description="public")
    def is_public(self, plan: Plan) -> str:
        return yes_or_no(plan.public)

    @display(description="price")
    def active_price(self, plan: Plan) -> str:
        active = [version for version in plan.versions.all() if version.status == VersionStatus.ACTIVE]
        return format_cents(active[0].base_price_cents, active[0].currency) if active else "not on sale"

    @display(description="versions")
    def versions_count(self, plan: Plan) -> int:
        return len(plan.versions.all())
