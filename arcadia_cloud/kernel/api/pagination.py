"""Keyset pagination: a page starts after a row, not after a count, so it costs the same at any depth.

REST framework's own cursor pages by one column and an offset among equal values, which repeats and
skips rows when many share a value. Here the position is (column, primary key), compared as one tuple.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar, cast

from django.core import signing
from django.db.models import BooleanField, F, Field, Func, Model, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
PARAMETERS: Final = frozenset({"limit", "cursor", "ordering"})
_MAX_CURSOR_CHARACTERS: Final = 4096

RowT = TypeVar("RowT", bound=Model)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: beside the row (value, pk), looking forward or back along `ordering`.

    `inclusive` takes that row in: it is set where the page beyond it turned out to be empty.
    """

    ordering: str
    value: str | None
    pk: str
    backward: bool = False
    inclusive: bool = False


class KeysetPagination(BasePagination):
    """Pages a view's queryset by `ordering`, one column of the view's `orderings`, ties by primary key.

    The view declares `orderings` (names of concrete fields; "-" is the client's to add) and
    `default_ordering`. Nulls come last ascending and first descending, as PostgreSQL's indexes have them.
    One query a page, for `limit` rows and the one that shows whether there are more.
    """

    def paginate_queryset(  # type: ignore[override]  # a list has no keys to page by
        self, queryset: QuerySet[RowT], request: Request, view: APIView | None = None
    ) -> list[RowT]:
        """Return the rows of the page asked for. Raises ValidationError naming the parameter at fault."""
        self.request = request
        self.model = queryset.model
        allowed = orderings_of(view)
        self.ordering = request.query_params.get("ordering", default_ordering_of(view))
        name = self.ordering.removeprefix("-")
        if name not in allowed:
            raise ValidationError(
                {"ordering": [f"Must be one of {', '.join(allowed)}, or one of them after a '-'."]}
            )
        options = self.model._meta
        # `id` is the API's word for the key, which a model may call otherwise.
        self.column = cast("Field[Any, Any]", options.get_field(options.pk.name if name == "id" else name))
        self.limit = parse_limit(request)
        self.cursor = self._cursor(request)
        backward = self.cursor is not None and self.cursor.backward
        # A page before the cursor is read from the cursor away, nearest first, and turned round below.
        descending = self.ordering.startswith("-") != backward
        # Without the key as the last column, rows of equal values would come in another order each time.
        names = [self.column.name] if self.column.primary_key else [self.column.name, "pk"]
        rows_beyond = queryset.order_by(*(f"-{name}" if descending else name for name in names))
        if self.cursor is not None:
            rows_beyond = rows_beyond.filter(self._beyond(self.cursor, descending=descending))
        # One row more than is shown proves that there is another page, without a count of all.
        rows = list(rows_beyond[: self.limit + 1])
        self.has_more = len(rows) > self.limit
        rows = rows[: self.limit]
        if backward:
            rows.reverse()
        self.page: list[Any] = rows
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """Wrap serialized rows with the links to either side."""
        return Response(
            {"next": self._link(backward=False), "previous": self._link(backward=True), "results": data}
        )

    def _cursor(self, request: Request) -> Cursor | None:
        text = request.query_params.get("cursor")
        if text is None:
            return None
        refusal = ValidationError(
            {"cursor": ["Not a cursor of this list in this ordering; start again without."]}
        )
        if len(text) > _MAX_CURSOR_CHARACTERS:
            raise refusal
        try:
            cursor = Cursor(**self._signer().unsign_object(text))
        except (signing.BadSignature, ValueError, TypeError) as error:
            raise refusal from error
        # The cursor's value is of another column then, and would be compared with this one's.
        if cursor.ordering != self.ordering:
            raise refusal
        return cursor

    def _signer(self) -> signing.Signer:
        """Return the signer of cursors, so that a position is always one that this list gave out."""
        return signing.Signer(salt=f"keyset:{self.model._meta.label_lower}")

    def _beyond(self, cursor: Cursor, *, descending: bool) -> Combinable | Q:
        """Return the condition of the rows past the cursor, in PostgreSQL's order: nulls are the largest."""
        pk_field = self.model._meta.pk
        pk = Value(pk_field.to_python(cursor.pk), output_field=pk_field)
        if self.column.primary_key:
            return _comparison(F("pk"), pk, descending=descending, inclusive=cursor.inclusive)
        name = self.column.name
        # `=` and `<` find no null: those rows need conditions of their own, or no page would have them.
        if cursor.value is None:
            ties = Q(_comparison(F("pk"), pk, descending=descending, inclusive=cursor.inclusive))
            ties &= Q(**{f"{name}__isnull": True})
            return ties | Q(**{f"{name}__isnull": False}) if descending else ties
        value = Value(self.column.to_python(cursor.value), output_field=self.column)
        beyond = _comparison(
            _row(F(name), F("pk")), _row(value, pk), descending=descending, inclusive=cursor.inclusive
        )
        if self.column.null and not descending:
            return Q(beyond) | Q(**{f"{name}__isnull": True})
        return beyond

    def _link(self, *, backward: bool) -> str | None:
        """Return the address of the page after this one, or before it; None at the list's end."""
        came_backward = self.cursor is not None and self.cursor.backward
        if not self.has_more if backward == came_backward else self.cursor is None:
            return None
        if self.page:
            row = self.page[0] if backward else self.page[-1]
            is_null = getattr(row, self.column.attname) is None
            value = None if is_null else str(self.column.value_to_string(row))
            cursor = Cursor(self.ordering, value, str(row.pk), backward=backward)
        elif self.cursor is None:
            return None
        else:
            # An empty page has no row to start from: the way back takes in the one that led here.
            cursor = replace(self.cursor, ordering=self.ordering, backward=backward, inclusive=True)
        fields = {name: getattr(cursor, name) for name in Cursor.__slots__}
        text = self._signer().sign_object(fields)
        return replace_query_param(
            remove_query_param(self.request.build_absolute_uri(), "cursor"), "cursor", text
        )

    def get_schema_operation_parameters(self, view: APIView) -> list[Mapping[str, Any]]:
        """Describe `limit`, `cursor` and `ordering` to the OpenAPI schema."""
        orderings = [sign + name for name in orderings_of(view) for sign in ("", "-")]
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        ordering = {"type": "string", "enum": orderings, "default": default_ordering_of(view)}
        return [
            _parameter("limit", "Rows a page.", limit),
            _parameter("cursor", "From a `next` or `previous` link.", {"type": "string"}),
            _parameter("ordering", "The column to order by; ties by id.", ordering),
        ]

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Describe a page to the OpenAPI schema; the example's list fits on one."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "The page after this one.", "example": None},
                "previous": {**link, "description": "The page before this one.", "example": None},
                "results": schema,
            },
        }


def parse_limit(request: Request) -> int:
    """Return how many rows a page is to have. Raises ValidationError."""
    limit = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[0-9]{1,4}", limit) or not 1 <= int(limit) <= MAX_LIMIT:
        raise ValidationError({"limit": [f"Must be a whole number from 1 to {MAX_LIMIT}."]})
    return int(limit)


def orderings_of(view: APIView | None) -> tuple[str, ...]:
    """Return the columns that a view lets its list be ordered by."""
    return tuple(getattr(view, "orderings", ("id",)))


def default_ordering_of(view: APIView | None) -> str:
    """Return the ordering of a list where the client names none."""
    return str(getattr(view, "default_ordering", f"-{orderings_of(view)[0]}"))


def _row(*expressions: Combinable) -> Func:
    """Return SQL's ROW(…), whose comparison can start in the middle of an index on the same columns."""
    return Func(*expressions, function="ROW", output_field=BooleanField())


def _comparison(left: Combinable, right: Combinable, *, descending: bool, inclusive: bool) -> Combinable:
    lookup: Callable[[Combinable, Combinable], object]
    if descending:
        lookup = LessThanOrEqual if inclusive else LessThan
    else:
        lookup = GreaterThanOrEqual if inclusive else GreaterThan
    return cast("Combinable", lookup(left, right))


def _parameter(name: str, description: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
