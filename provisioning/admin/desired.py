"""The console's list of desired states: what sagas made, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from arcadia_cloud.kernel.console.formatting import NOTHING, json_block, row_link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
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
        return row_link("inventory_resource", provisioned.resource_id, provisioned.resource)

    @display(description="last changed by")
    def last_saga(self, provisioned: Provisioned) -> str:
        if provisioned.saga_id is None:
            return NOTHING
        return row_link("provisioning_sagarun", provisioned.saga_id, f"saga {provisioned.saga_id}")

    @display(description="as asked for")
    def wanted(self, provisioned: Provisioned) -> Any:
        return json_block(provisioned.spec)
