"""The console's list of desired states: what sagas made, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from provisioning.admin.formatting import NOTHING, format_json
from provisioning.models import Provisioned


@admin.register(Provisioned)
class ProvisionedAdmin(RecordAdmin[Provisioned]):
    """Written by sagas alone, newest first."""

    list_display = ("of", "spec_version", "last_saga", "created_at", "updated_at")
    list_select_related = ("resource",)
    search_fields = ("resource__provider_id__exact", "resource__name__startswith")
    search_help_text = "A whole provider's id, or how the resource's name begins"
    sortable_by = ()
    fields = ("on", "spec_version", "last_saga", "created_at", "updated_at", "wanted")
    readonly_fields = ("on", "last_saga", "wanted")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provisioned]:
        return super().get_queryset(request).select_related("resource")

    @display(description="resource")
    def of(self, provisioned: Provisioned) -> str:
        return str(provisioned.resource)

    @display(description="resource")
    def on(self, provisioned: Provisioned) -> str:
        address = reverse("admin:inventory_resource_change", args=[provisioned.resource_id])
        return format_html('<a class="text-link" href="{}">{}</a>', address, provisioned.resource)

    @display(description="last changed by")
    def last_saga(self, provisioned: Provisioned) -> str:
        if provisioned.saga_id is None:
            return NOTHING
        address = reverse("admin:provisioning_sagarun_change", args=[provisioned.saga_id])
        return format_html('<a class="text-link" href="{}">saga {}</a>', address, provisioned.saga_id)

    @display(description="as asked for")
    def wanted(self, provisioned: Provisioned) -> Any:
        return format_json(provisioned.spec)
