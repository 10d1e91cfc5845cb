"""The money audit's findings in the API. Read-only, for operators alone."""

from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from arcadia_cloud.kernel.api.permissions import OperatorOnly
from arcadia_cloud.kernel.api.views import ListView
from billing.api import examples
from billing.models import AuditFinding
from billing.queries import RULES, codes_of, find_rule
from billing.values import AuditSeverity

_STATES: Final = (("open", "open"), ("closed", "closed"), ("all", "all"))


class AuditFindingSerializer(serializers.ModelSerializer[AuditFinding]):
    """A place in the book where a rule doesn't hold; open while `closed_at` is null."""

    rule = serializers.CharField(help_text="The rule's code.")
    severity = serializers.SerializerMethodField(
        help_text="`red`: money is lost or wrong now; `yellow`: look at it. Empty where the rule is gone."
    )
    title = serializers.SerializerMethodField(help_text="The rule in words.")
    subject = serializers.CharField(help_text="What it is about, as `resource:12` or `month:2026-04`.")
    expected = serializers.CharField(help_text="What must be there, in words.")
    actual = serializers.CharField(help_text="What is there, in words.")

    class Meta:
        model = AuditFinding
        fields: ClassVar[list[str]] = [
            "id",
            "rule",
            "severity",
            "title",
            "subject",
            "expected",
            "actual",
            "first_seen_at",
            "last_seen_at",
            "closed_at",
        ]
        read_only_fields = fields

    def get_severity(self, finding: AuditFinding) -> str:
        rule = find_rule(finding.rule)
        return str(rule.severity) if rule else ""

    def get_title(self, finding: AuditFinding) -> str:
        rule = find_rule(finding.rule)
        return rule.title if rule else ""


class AuditFindingFilter(filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Open findings, unless another state is asked for."""

    state = filters.ChoiceFilter(choices=_STATES, method="keep_all", help_text="`open` unless it is given.")
    rule = filters.ChoiceFilter(
        choices=[(rule.code, rule.title) for rule in RULES], help_text="The rule's code."
    )
    severity = filters.ChoiceFilter(
        choices=AuditSeverity.choices, method="filter_severity", help_text="That of the rule."
    )

    class Meta:
        model = AuditFinding
        fields: ClassVar[list[str]] = []

    def keep_all(self, queryset: QuerySet[AuditFinding], _name: str, _value: str) -> QuerySet[AuditFinding]:
        """Leave the state to `filter_queryset`, which also knows that none was given."""
        return queryset

    def filter_severity(
        self, queryset: QuerySet[AuditFinding], _name: str, value: str
    ) -> QuerySet[AuditFinding]:
        return queryset.filter(rule__in=codes_of(AuditSeverity(value)))

    def filter_queryset(self, queryset: QuerySet[AuditFinding]) -> Any:  # Any: the library is untyped
        found = super().filter_queryset(queryset)
        # The partial index has the open ones in order; what was closed piles up for years.
        state = self.form.cleaned_data["state"] or "open"
        return found if state == "all" else found.filter(closed_at__isnull=state == "open")


@extend_schema_view(
    get=extend_schema(summary="Findings of the money audit", examples=examples.AUDIT_FINDINGS)
)
class AuditFindingList(ListView):
    """Findings of the money audit, the newest first."""

    permission_classes = (OperatorOnly,)
    queryset = AuditFinding.objects.all()
    serializer_class = AuditFindingSerializer
    filterset_class = AuditFindingFilter
    orderings = ("id",)
