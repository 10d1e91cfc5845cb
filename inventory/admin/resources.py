"""The console's list of resources, and the page of one: its facts, its owner and its history."""

from typing import Any, Final, cast

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import F, OrderBy, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join

from arcadia_cloud.kernel.api.downloads import Format, TooManyDownloads
from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.console.filters import TenantFilter
from arcadia_cloud.kernel.console.formatting import NOTHING, outside_link
from arcadia_cloud.kernel.console.paging import BoundedChangeList
from arcadia_cloud.kernel.console.status_label import label, status_label
from arcadia_cloud.kernel.console.theme import display
from inventory.admin.assignment import AssignmentAdmin
from inventory.admin.attributes import attributes
from inventory.admin.chips import build_chips
from inventory.admin.filters import (
    KindFilter,
    LifeFilter,
    OwnerFilter,
    RegionFilter,
    StatusFilter,
    TagFilter,
)
from inventory.admin.formatting import dollars, provider_page, timeline
from inventory.export import download
from inventory.models import NEGATIVE_ID, Resource, ResourceQuerySet
from inventory.queries import named_with
from inventory.resource_panels import panels_of
from inventory.values import STRIKES_TO_DELETE, UNATTRIBUTED, AttributionRule

_SHOWN: Final = 50  # of a resource's events and spans

_STATUS_COLOURS: Final = {
    **dict.fromkeys(("active", "online", "running", "verified", "succeeded", "available"), "success"),
    **dict.fromkeys(("attached", "assigned"), "success"),
    **dict.fromkeys(("off", "archive", "degraded", "unattached", "unassigned"), "warning"),
    **dict.fromkeys(("new", "creating", "provisioning", "pending", "waiting"), "info"),
    **dict.fromkeys(("errored", "error", "failed", "deleted"), "danger"),
}
_RULES: Final = {
    AttributionRule.OPERATOR: "assigned by an operator",
    AttributionRule.OURS: "marked as ours by an operator",
    AttributionRule.SAGA: "made for it by a saga",
    AttributionRule.TAGS: "by its tags",
    AttributionRule.PARENT: "as what it belongs to",
    AttributionRule.PROJECT: "by its project's tenant",
    AttributionRule.NONE: "no rule decided",
}


class ResourceChangeList(BoundedChangeList):
    """A list whose order by one column is that of the column's index, forward and backward."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Resource]) -> list[Any]:
        """Have the key follow the column's direction: else PostgreSQL would sort the whole fleet."""
        ordering = list(super().get_ordering(request, queryset))
        first, *rest = ordering
        # Django appends the key to the list's own order, which ends in it already.
        if set(rest) != {"-pk"}:
            return ordering
        is_backward = first.descending if isinstance(first, OrderBy) else str(first).startswith("-")
        # The index of all names, live and gone, has the negative id.
        if str(first).removeprefix("-") == "name" and request.GET.get("life") == "all":
            return [first, OrderBy(NEGATIVE_ID, descending=is_backward)]
        return [first, "-pk" if is_backward else "pk"]


@admin.register(Resource)
class ResourceAdmin(AssignmentAdmin):
    """Every resource, newest first."""

    change_form_template = "inventory/resource.html"
    list_before_template = "inventory/resource_list_head.html"
    list_display = ("title", "kind", "region", "state", "owner", "project", "price", "last_seen_at")
    list_filter = (
        LifeFilter,
        KindFilter,
        RegionFilter,
        StatusFilter,
        TenantFilter,
        TagFilter,
        OwnerFilter,
    )
    list_select_related = ("project", "deployment")
    search_fields = ("name", "provider_id")
    search_help_text = "A part of the name, or a whole provider's id"
    fieldsets = (
        (
            "Identity",
            {
                "fields": (
                    ("kind", "provider_id"), ("region", "status_label"), ("urn", "price"), "tag_list",
                    "at_the_provider",
                ),
            },
        ),
        ("Owner", {"fields": (("tenant_id", "deployment"), ("project", "decided_by"), "reason")}),
        (
            "Lifetime",
            {
                "fields": (
                    ("provider_created_at", "first_seen_at"), ("last_seen_at", "deleted_at"),
                    "strikes",
                ),
            },
        ),
    )  # fmt: skip
    readonly_fields = (
        "status_label",
        "strikes",
        "price",
        "tag_list",
        "at_the_provider",
        "decided_by",
        "reason",
    )

    def get_fieldsets(
        self, request: HttpRequest, obj: Resource | None = None
    ) -> Any:  # the stubs' is private
        """Leave the reason out where there is none."""
        if obj is None or self.reason(obj) != NOTHING:
            return self.fieldsets
        return [
            (title, {"fields": tuple(field for field in options["fields"] if field != "reason")})
            for title, options in self.fieldsets
        ]

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """List the unattributed with the reason."""
        if request.GET.get(OwnerFilter.parameter_name) != UNATTRIBUTED:
            return self.list_display
        return tuple("reason" if column == "owner" else column for column in self.list_display)

    def get_sortable_by(self, request: HttpRequest) -> tuple[str, ...]:
        """Sort by the columns that have an index. Both halves of the table together have the name's alone."""
        life = request.GET.get(str(LifeFilter.parameter_name), LifeFilter.default)
        if life == "all":
            return ("title",)
        indexed = ("title", "kind", "region", "state", "owner")
        return (*indexed, "price") if life == LifeFilter.default else indexed

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ResourceChangeList]:
        return ResourceChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the chips."""
        dearest = ""
        if "price" in self.get_sortable_by(request):
            # Columns are numbered as they are shown, and the boxes of the actions are one.
            column = self.get_list_display(request).index("price") + bool(self.get_actions(request))
            dearest = f"-{column}"
        chips = {"chip_rows": build_chips(request, dearest=dearest)}
        return super().changelist_view(request, {**(extra_context or {}), **chips})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Resource], search_term: str
    ) -> tuple[QuerySet[Resource], bool]:
        """Search by name or id. Both have an index: trigrams of the name, and the id within its kinds."""
        term = search_term.strip()
        if term:
            # Django's own search would look for parts of ids, too, which no index has.
            queryset = queryset.filter(named_with(term) | Q(provider_id=term))
        return queryset, False

    def get_urls(self) -> list[URLPattern]:
        """Add the exports."""
        own = [
            path(
                f"export/{form}/",
                self.admin_site.admin_view(self.export_view),
                {"form": form},
                name=f"inventory_resource_export_{form}",
            )
            for form in Format
        ]
        return [*own, *super().get_urls()]

    def export_view(self, request: HttpRequest, form: Format) -> StreamingHttpResponse | HttpResponseRedirect:
        """Download the rows that the list shows under the same query string, every page of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            shown = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:  # the list shows its own message
            return HttpResponseRedirect(f"{reverse('admin:inventory_resource_changelist')}?e=1")
        try:
            return download(
                cast("ResourceQuerySet", shown),
                form,
                for_operator=True,
                on=timezone.now().date(),
                owner=actor_of(request),
            )
        except TooManyDownloads as error:
            self.message_user(request, str(error), messages.WARNING)
            return HttpResponseRedirect(reverse("admin:inventory_resource_changelist"))

    def extra_context(self, request: HttpRequest, row: Resource) -> dict[str, Any]:
        """Add the newest of its history and of its spans."""
        return {
            **self.owner_context(request, row),
            "decided_by": self.decided_by(row),
            "panels": panels_of(request, row),
            "attributes": attributes(row.attrs),
            "spans": row.spans.select_related("deployment").order_by("-during")[:_SHOWN],
            **timeline(row.events.order_by("-pk"), newest=_SHOWN, rest=f"resource={row.pk}"),
        }

    @display(description="name", ordering="name")
    def title(self, resource: Resource) -> str:
        return resource.name or resource.provider_id

    @display(description="status", ordering="status", label=_STATUS_COLOURS)
    def state(self, resource: Resource) -> str:
        return "deleted" if resource.deleted_at else resource.status

    @display(description="owner", ordering="tenant_id")
    def owner(self, resource: Resource) -> str:
        name = resource.owner_name
        return NOTHING if name == UNATTRIBUTED else name

    @display(description="decided")
    def decided_by(self, resource: Resource) -> str:
        return _RULES.get(AttributionRule(resource.attributed_by), resource.get_attributed_by_display())

    @display(description="why unattributed")
    def reason(self, resource: Resource) -> str:
        if resource.attribution_note or resource.attributed_by:
            return resource.attribution_note or NOTHING
        return "no tag, parent or project names an owner"

    @display(description="a month", ordering=F("monthly_price_cents").asc(nulls_first=True))
    def price(self, resource: Resource) -> str:
        return dollars(resource.monthly_price_cents)

    @display(description="status")
    def status_label(self, resource: Resource) -> str:
        state = self.state(resource)
        if not state:
            return NOTHING
        return status_label(state, _STATUS_COLOURS)

    @display(description="strikes")
    def strikes(self, resource: Resource) -> str:
        """Count the complete runs in a row that didn't see it."""
        return f"{resource.stale_strike_count} of {STRIKES_TO_DELETE}"

    @display(description="tags")
    def tag_list(self, resource: Resource) -> str:
        return (
            format_html_join(" ", "{}", ((label(tag, **{"class": "console-tag"}),) for tag in resource.tags))
            or NOTHING
        )

    @display(description="at DigitalOcean")
    def at_the_provider(self, resource: Resource) -> str:
        address = provider_page(resource)
        if not address or resource.deleted_at:
            return NOTHING
        return outside_link(address, "open its page")
