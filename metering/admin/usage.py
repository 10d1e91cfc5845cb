"""The console's list of usage records."""

from django.contrib import admin

from arcadia_cloud.kernel.console.filters import ChoiceFilter, RowNumberFilter
from arcadia_cloud.kernel.console.formatting import or_nothing, row_link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import display
from arcadia_cloud.kernel.money import exact_text
from catalog.values.kinds import BillingKind
from metering.models import UsageRecord
from metering.values import Granularity


class KindFilter(ChoiceFilter):
    title = "kind"
    parameter_name = "resource_kind"
    options = BillingKind.choices


class GranularityFilter(ChoiceFilter):
    title = "granularity"
    parameter_name = "granularity"
    options = Granularity.choices


class DeploymentFilter(RowNumberFilter):
    title = "deployment's id"
    parameter_name = "deployment_id"


@admin.register(UsageRecord)
class UsageRecordAdmin(RecordAdmin[UsageRecord]):
    """Usage, the latest recorded first."""

    list_display = ("period_start", "owner", "resource_kind", "quantity", "granularity", "metered_resource")
    list_filter = (KindFilter, GranularityFilter, DeploymentFilter)
    list_select_related = ("deployment", "resource")
    sortable_by = ()
    fields = (
        ("period_start", "period_end"), ("resource_kind", "quantity"), ("owner", "metered_resource"),
        ("granularity", "sub_account"),
    )  # fmt: skip
    readonly_fields = ("owner", "metered_resource", "quantity")

    @display(description="deployment")
    def owner(self, record: UsageRecord) -> str:
        return row_link("deployments_deployment", record.deployment_id, record.deployment)

    @display(description="resource")
    def metered_resource(self, record: UsageRecord) -> str:
        if record.resource is None:
            return or_nothing(None)
        return row_link("inventory_resource", record.resource.pk, record.resource)

    @display(description="quantity")
    def quantity(self, record: UsageRecord) -> str:
        return exact_text(record.qty, places=0)
