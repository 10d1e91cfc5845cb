"""The console's projects: tenant and purpose are the operator's to set, the rest is the provider's."""

from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse

from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.console.filters import TenantFilter
from arcadia_cloud.kernel.console.formatting import NOTHING, link, outside_link
from arcadia_cloud.kernel.console.records import BoundedAdmin
from arcadia_cloud.kernel.console.theme import OneLineInput, display
from inventory.admin.filters import LifeFilter
from inventory.admin.formatting import label_of, readable
from inventory.models import Project
from inventory.services import give_project, set_project_purpose


class ProjectForm(forms.ModelForm[Project]):
    """The fields that an operator may change."""

    class Meta:
        model = Project
        fields = ("tenant_id", "purpose")

    def clean_tenant_id(self) -> str | None:
        """Make an empty tenant null: "" would be a tenant without a name."""
        return self.cleaned_data["tenant_id"] or None


@admin.register(Project)
class ProjectAdmin(BoundedAdmin[Project]):
    """Every project of the account. Its resources follow a change of tenant."""

    form = ProjectForm
    list_display = ("name", "tenant_id", "purpose", "environment", "is_the_default", "last_seen_at")
    list_filter = (LifeFilter, TenantFilter)
    search_fields = ("name", "provider_id__exact", "tenant_id")
    search_help_text = "Name, tenant, or a whole provider's id"
    ordering = ("name",)
    fieldsets = (
        ("Owner", {"fields": ("tenant_id", "purpose")}),
        (
            "At the provider",
            {
                "fields": (
                    "name", "provider_id", "description", "providers_purpose", "environment",
                    "is_the_default", "resources_of_it", "at_the_provider",
                ),
            },
        ),
        ("Lifetime", {"fields": ("first_seen_at", "last_seen_at", "deleted_at")}),
    )  # fmt: skip
    readonly_fields = (
        "name", "provider_id", "description", "providers_purpose", "environment", "is_the_default",
        "resources_of_it", "at_the_provider", "first_seen_at", "last_seen_at", "deleted_at",
    )  # fmt: skip

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        if db_field.name == "tenant_id":
            kwargs |= {"widget": OneLineInput, "label": "Tenant", "help_text": "Leave it empty for our own."}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        """Have the services write what was changed, and nothing else: a sync may have renamed the project."""
        # Not `obj.save()`: it would write back every field as it was when the page was opened.
        if "purpose" in form.changed_data:
            set_project_purpose(project_pk=obj.pk, purpose=obj.purpose)
        if "tenant_id" in form.changed_data and give_project(
            project_pk=obj.pk, tenant_id=obj.tenant_id, actor=actor_of(request)
        ):
            self.message_user(request, "Its resources follow within moments.", messages.INFO)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Describe each change in the log, with the old value and the new one."""
        return "; ".join(
            f"{label_of(name)}: {readable(form.initial.get(name))} → {readable(form.cleaned_data[name])}"
            for name in form.changed_data
        )

    @display(description="default project")
    def is_the_default(self, project: Project) -> str:
        return readable(project.is_default)

    @display(description="purpose there")
    def providers_purpose(self, project: Project) -> str:
        return project.attrs.get("purpose") or NOTHING

    @display(description="its resources")
    def resources_of_it(self, project: Project) -> str:
        address = f"{reverse('admin:inventory_resource_changelist')}?project__id__exact={project.pk}"
        return link(address, "show them")

    @display(description="at DigitalOcean")
    def at_the_provider(self, project: Project) -> str:
        address = f"https://cloud.digitalocean.com/projects/{quote(project.provider_id, safe='')}"
        return outside_link(address, "open its page")
