"""Serializers that refuse what they don't know, and the shape of an error for the schema."""

from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields by name, where REST framework would drop them in silence."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError with one entry per unknown field."""
        if isinstance(data, dict):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = sorted(set(data) - known)
            if unknown:
                raise serializers.ValidationError({name: ["There is no such field."] for name in unknown})
        return super().to_internal_value(data)


class ProblemSerializer(serializers.Serializer[Any]):
    """An error. Source: RFC 9457, with `errors` by field and the request's id added."""

    type = serializers.CharField(help_text="A stable name of the kind of error, as a URI.")
    title = serializers.CharField(help_text="The HTTP status in words.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    detail = serializers.CharField(help_text="What went wrong, for a person.")
    errors = serializers.DictField(  # type: ignore[assignment]  # the shape's name, and nobody reads .errors here
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What is wrong with each field, query parameter or header, by its name.",
    )
    request_id = serializers.CharField(help_text="Finds this request in the log.")
