"""Rows of lists are shown as the library shows them, field by field, though on a shorter way."""

import ipaddress
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import models
from django.urls import get_resolver
from rest_framework.serializers import BaseSerializer

from arcadia_cloud.kernel.api.serializers import RowSerializer

_SAMPLES: tuple[tuple[type[models.Field[Any, Any]], Any], ...] = (
    (models.GenericIPAddressField, str(ipaddress.ip_address("192.0.2.7"))),
    (models.UUIDField, uuid.UUID(int=7)),
    (models.BooleanField, True),
    (models.IntegerField, 7),
    (models.DecimalField, Decimal("7.250")),
    (models.DateTimeField, datetime(2026, 7, 1, 12, 30, 15, 250, tzinfo=UTC)),
    (models.DateField, date(2026, 7, 1)),
    (models.JSONField, {"a": [1, None]}),
    (models.CharField, "seven"),
    (models.TextField, "seven"),
)


def _row_serializers(kind: type[Any] = RowSerializer) -> Iterator[type[RowSerializer[Any]]]:
    for one in kind.__subclasses__():
        if hasattr(one, "Meta"):
            yield one
        yield from _row_serializers(one)


def _sample(column: models.Field[Any, Any]) -> Any:
    if column.choices:
        return next(iter(column.flatchoices))[0]
    target = getattr(column, "target_field", column)  # a foreign key's column holds what it points at
    return next((value for kind, value in _SAMPLES if isinstance(target, kind)), None)


@pytest.mark.parametrize("is_null", [False, True])
def test_every_column_is_shown_as_the_library_shows_it(is_null: bool) -> None:
    assert get_resolver().url_patterns  # the views' serializers are imported with them
    compared = 0
    for kind in _row_serializers():
        serializer = kind()
        model: type[models.Model] = serializer.Meta.model
        columns = {column.attname: column for column in model._meta.concrete_fields}
        row = model()
        row.__dict__.update({name: None if is_null else _sample(column) for name, column in columns.items()})
        shows = dict(serializer._shows)
        for name, field in serializer.fields.items():
            if field.source not in columns or isinstance(field, BaseSerializer):
                continue
            value = field.get_attribute(row)
            expected = None if value is None else field.to_representation(value)
            shown = shows[name](row)
            assert (shown, type(shown)) == (expected, type(expected)), f"{kind.__name__}.{name}"
            compared += 1
    assert compared > 100
