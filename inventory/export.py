"""The inventory as a file: every row that a list's filters leave, as CSV or JSON, in bounded memory."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Final

from django.db.models import Case, F, Q, Value, When
from django.http import HttpResponse, StreamingHttpResponse

from arcadia_cloud.kernel.api import downloads
from arcadia_cloud.kernel.api.downloads import Format
from inventory.models import ResourceQuerySet
from inventory.values import PROVIDER_CURRENCY

# A column's name, as in the API's lists, and where it stands. `id` is the first: pages go by it.
_COLUMNS: Final[Mapping[str, str]] = {
    "id": "pk",
    "kind": "kind",
    "provider_id": "provider_id",
    "name": "name",
    "region": "region",
    "status": "status",
    "tenant_id": "tenant_id",
    "deployment": "deployment__slug",
    "deployment_id": "deployment_id",
    "project": "own_project",
    "project_id": "own_project_id",
    "tags": "tags",
    "attrs": "attrs",
    "provider_created_at": "provider_created_at",
    "first_seen_at": "first_seen_at",
    "last_seen_at": "last_seen_at",
    "deleted_at": "deleted_at",
}
_OPERATORS_COLUMNS: Final[Mapping[str, str]] = {
    **_COLUMNS,
    "project": "project__name",
    "project_id": "project_id",
    "provider": "provider",
    "urn": "urn",
    "attributed_by": "attributed_by",
    "attribution_note": "attribution_note",
    "monthly_price_cents": "monthly_price_cents",
    "stale_strike_count": "stale_strike_count",
    "currency": "currency",
}


def export(resources: ResourceQuerySet, form: Format, *, for_operator: bool) -> Iterator[bytes]:
    """Write `resources` out, oldest first, in pieces of UTF-8. What the provider charges is for operators."""
    is_own = Q(project__tenant_id=F("tenant_id"))  # another project's name may be another tenant's
    rows = resources.annotate(
        currency=Value(PROVIDER_CURRENCY),
        own_project=Case(When(is_own, then=F("project__name"))),
        own_project_id=Case(When(is_own, then=F("project_id"))),
    )
    return downloads.file_pieces(rows, _OPERATORS_COLUMNS if for_operator else _COLUMNS, form)


def download(
    resources: ResourceQuerySet, form: Format, *, for_operator: bool, on: date, owner: str
) -> StreamingHttpResponse:
    """Return an export as a browser keeps it, under the day `on`. Raises TooManyDownloads."""
    begin = partial(export, resources, form, for_operator=for_operator)
    return downloads.download(begin, name=_name(on), form=form, owner=owner)


def download_head(form: Format, *, on: date) -> HttpResponse:
    """Return what HEAD answers: the download's headers, without reading a row."""
    return downloads.download_head(name=_name(on), form=form)


def _name(on: date) -> str:
    return f"inventory-{on.isoformat()}"
