"""The console's plan versions: a draft is edited with its items, compared, tried out and published."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from arcadia_cloud.kernel.console.actions import Button, actor_of
from arcadia_cloud.kernel.console.editor import EditorAdmin
from arcadia_cloud.kernel.console.filters import ChoiceFilter
from arcadia_cloud.kernel.console.lookups import is_key_of
from arcadia_cloud.kernel.console.paging import BoundedChangeList
from arcadia_cloud.kernel.console.theme import (
    DialogForm,
    ThemedChangeList,
    action,
    display,
)
from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.money import format_money
from catalog.admin.drafts import open_new_draft
from catalog.admin.formatting import STATUS_COLOURS, format_cents, format_count
from catalog.admin.items import PlanItemInline, is_draft
from catalog.admin.preview import PreviewForm, line_views
from catalog.comparison import ITEM_COLUMNS, compare_versions, item_rows
from catalog.errors import InvalidTerms
from catalog.hooks import count_subscribers
from catalog.models import PlanVersion
from catalog.queries import estimate_quote, reasons_not_to_publish
from catalog.services import create_draft_from, publish_version
from catalog.states import VersionStatus
from catalog.version_panels import panels_of

_LONGEST_NOTE: Final = 500


class StatusFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"
    options = VersionStatus.choices


class VersionChangeList(BoundedChangeList):
    """A page of versions with their subscriptions, counted for all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        counts = count_subscribers([version.pk for version in self.result_list])
        for version in self.result_list:
            version.subscribers = format_count(counts, version.pk)


@admin.register(PlanVersion)
class PlanVersionAdmin(EditorAdmin[PlanVersion]):
    """Versions, newest first. Only a draft is edited or deleted; what was published never changes."""

    change_form_template = "catalog/version.html"
    list_display = (
        "__str__",
        "plan_name",
        "status_label",
        "price",
        "proration",
        "published_at",
        "subscriptions",
    )
    list_filter = (StatusFilter,)
    list_select_related = ("plan",)
    search_fields = ("plan__code", "plan__name")
    search_help_text = "The plan's code or name"
    sortable_by = ()
    fields = (
        ("base_price_cents", "currency"),
        ("billing_interval", "proration"),
    )
    actions_detail = ("draft_from_this",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanVersion]:
        return super().get_queryset(request).select_related("plan")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ThemedChangeList]:
        return VersionChangeList

    def get_inlines(self, request: HttpRequest, obj: PlanVersion | None) -> tuple[type[PlanItemInline], ...]:
        """Return the items' forms for a draft; what was published is a table on the page."""
        return (PlanItemInline,) if is_draft(obj) else ()

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> PlanVersion | None:
        """Lock a version that is to be written: it isn't published meanwhile, and is still a draft."""
        if request.method == "POST" and is_key_of(PlanVersion, object_id):
            # Held until the form is stored; the plan's row is others' to lock.
            PlanVersion.objects.select_for_update(of=("self",)).filter(pk=object_id).first()
        return super().get_object(request, object_id, from_field)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of a version: publication, comparison and preview."""
        pages = (
            ("publish", self.publish_view),
            ("compare", self.compare_view),
            ("preview", self.preview_view),
        )
        return [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"catalog_planversion_{name}")
            for name, view in pages
        ] + super().get_urls()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a draft is made from its plan or from a version

    def has_change_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return self.may_write(request) and (obj is None or is_draft(obj))

    def has_delete_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return request.user.has_perm("catalog.delete_planversion") and is_draft(obj)

    def has_draft_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may make drafts."""
        return request.user.has_perm("catalog.add_planversion")

    def available_actions(self, request: HttpRequest, row: PlanVersion) -> list[Button]:
        """Return the button of a new draft."""
        return self.buttons(row, {"draft_from_this": self.has_draft_permission(request)})

    def may_write(self, request: HttpRequest) -> bool:
        """Return whether the user may edit drafts and publish them."""
        return request.user.has_perm("catalog.change_planversion")

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: PlanVersion | None = None,
    ) -> HttpResponse:
        """Add the version's state, its subscriptions and its items."""
        if obj is not None:
            # A form that is refused has left its values on the row; a currency that is none can't be shown.
            version = PlanVersion.objects.get(pk=obj.pk) if context.get("errors") else obj
            context |= self.describe(version) | {
                "items": () if is_draft(version) else item_rows(version),
                "item_columns": ITEM_COLUMNS,
                "may_publish": self.may_write(request) and is_draft(version),
                "panels": panels_of(request, version),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def describe(self, version: PlanVersion) -> dict[str, Any]:
        """Return what each page of a version shows of it."""
        return {
            "version": version,
            "status": version.status,
            "status_colour": STATUS_COLOURS[version.status],
            "price_text": format_cents(version.base_price_cents, version.currency),
            "subscribers": format_count(count_subscribers([version.pk]), version.pk),
        }

    @action(
        description="New draft from this version",
        permissions=["draft"],
        icon="edit_note",
        dialog={
            "title": "Make a new draft from this version?",
            "description": "It has the same terms and items. Nothing changes until it is published.",
            "form_submit_text": "Make a draft",
        },
    )
    def draft_from_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Make a draft with the terms of this page's version and go to it."""
        if not is_key_of(PlanVersion, object_id):
            raise Http404
        return open_new_draft(
            self,
            request,
            lambda: create_draft_from(version_pk=int(object_id), actor=actor_of(request)),
            refused=reverse("admin:catalog_planversion_changelist"),
        )

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what would change and for whom it wouldn't; publish when that page is posted."""
        if not self.may_write(request):
            raise PermissionDenied
        version = _version_of(pk)
        status = 200
        if request.method == "POST":
            # Cut to what the field takes: the browser keeps to it, another client may not.
            replaces, note = request.POST.get("replaces", ""), request.POST.get("note", "")[:_LONGEST_NOTE]
            try:
                publish_version(
                    version_pk=pk,
                    # The version that the operator was shown: another one since is refused.
                    replaces=int(replaces) if replaces.isdecimal() else None,
                    actor=actor_of(request),
                    at=timezone.now(),
                    note=note,
                )
            except DomainError as refusal:
                messages.error(request, f"Not published: {refusal.detail}.")
                status = refusal.status
                version = _version_of(pk)
            else:
                reason = f" {note.strip()}" if note.strip() else ""
                self.log_change(request, version, f"Published from the console.{reason}")
                messages.success(request, f"{version} is what new subscriptions get from now on.")
                return HttpResponseRedirect(reverse("admin:catalog_planversion_change", args=[pk]))
        # With its items at once: the comparison reads each of them.
        of_plan = version.plan.versions.select_related("plan").prefetch_related("items")
        active = of_plan.filter(status=VersionStatus.ACTIVE).first()
        others = list(
            version.plan.versions.exclude(pk=pk).exclude(status=VersionStatus.DRAFT).order_by("-number")
        )
        counts = count_subscribers([other.pk for other in others])
        context = {
            "active": active,
            "differences": compare_versions(active, version),
            "keeps": [(other, format_count(counts, other.pk)) for other in others],
            "keeps_total": "unknown" if counts is None else sum(counts.values()),
            "is_draft": is_draft(version),
            "panels": panels_of(request, version),
            "objections": _reasons_against(version),
            "longest_note": _LONGEST_NOTE,
        }
        return self._page(request, version, "publish", f"Publish {version}", context, status=status)

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what differs between this version and another of its plan, the active one unless chosen."""
        version = self._version_to_view(request, pk)
        others = list(version.plan.versions.exclude(pk=pk).order_by("-number"))
        chosen = request.GET.get("with", "")
        if chosen and chosen not in {str(other.pk) for other in others}:
            raise Http404
        # Without a choice the active one, or, on its own page, the one before it.
        active = [other for other in others if other.status == VersionStatus.ACTIVE]
        pks = [int(chosen)] if chosen else [other.pk for other in (*active, *others)]
        other = _version_of(pks[0]) if pks else None
        context: dict[str, Any] = {"other": other, "others": others}
        if other is not None:
            older, newer = sorted((other, version), key=lambda each: each.number)
            context |= {"older": older, "newer": newer, "differences": compare_versions(older, newer)}
        return self._page(request, version, "compare", f"Compare {version}", context)

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Quote a usage under this version, as it is or is to be sold."""
        version = self._version_to_view(request, pk)
        asked = request.GET or None
        initial = {"month": f"{timezone.now():%Y-%m}"}
        form = PreviewForm(asked, initial=initial, currency=version.currency)
        context: dict[str, Any] = {"form": form}
        if form.is_bound and form.is_valid():
            try:
                quote = estimate_quote(
                    version=version,
                    addon_codes=form.cleaned_data["addons"],
                    usage=form.usage,
                    period=form.cleaned_data["month"],
                )
            except DomainError as refusal:
                form.add_error(None, refusal.detail)
            else:
                context |= {
                    "lines": line_views(quote),
                    "totals": [
                        ("Without tax", format_money(quote.subtotal)),
                        ("Tax", format_money(quote.tax)),
                        ("Total", format_money(quote.total)),
                    ],
                }
        return self._page(request, version, "preview", f"Quote preview of {version}", context)

    def _version_to_view(self, request: HttpRequest, pk: int) -> PlanVersion:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return _version_of(pk)

    def _page(
        self,
        request: HttpRequest,
        version: PlanVersion,
        name: str,
        title: str,
        context: dict[str, Any],
        *,
        status: int = 200,
    ) -> HttpResponse:
        shown = {
            **self.admin_site.each_context(request),
            **self.describe(version),
            "opts": self.opts,
            "original": version,
            "title": title,
            **context,
        }
        return TemplateResponse(request, f"catalog/{name}.html", shown, status=status)

    @display(description="plan", ordering="plan__code")
    def plan_name(self, version: PlanVersion) -> str:
        return version.plan.name

    @display(description="status", label=STATUS_COLOURS)
    def status_label(self, version: PlanVersion) -> str:
        return version.status

    @display(description="base price")
    def price(self, version: PlanVersion) -> str:
        return format_cents(version.base_price_cents, version.currency)

    @display(description="subscriptions")
    def subscriptions(self, version: Any) -> str:
        return str(version.subscribers)  # set by the list, for a page at once


def _version_of(pk: int) -> PlanVersion:
    """Return a version with its plan and items. Raises Http404."""
    version = PlanVersion.objects.select_related("plan").prefetch_related("items").filter(pk=pk).first()
    if version is None:
        raise Http404
    return version


def _reasons_against(version: PlanVersion) -> list[str]:
    """Return what asks for a note; nothing for a draft that makes no price: the publication refuses it."""
    if not is_draft(version):
        return []
    try:
        return reasons_not_to_publish(version, at=timezone.now())
    except InvalidTerms:
        return []
