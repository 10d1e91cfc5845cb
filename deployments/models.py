"""Deployments: identity and state. Their lifecycle stands in services."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from deployments.states import DeploymentState


class Deployment(models.Model):
    """The billable unit: one app instance of one tenant. `slug` is unique within the tenant."""

    tenant_id = models.TextField()
    slug = models.SlugField(max_length=80)
    display_name = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=20, choices=DeploymentState, default=DeploymentState.ACTIVE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "cloud_deployments"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "slug"], name="deployment_slug_once_per_tenant"),
            models.CheckConstraint(
                condition=Q(state__in=DeploymentState.values), name="deployment_state_known"
            ),
            models.CheckConstraint(condition=~Q(tenant_id=""), name="deployment_has_tenant"),
        ]
        indexes = [
            models.Index(Lower("tenant_id"), name="deployment_tenant_any_case")
        ]  # a tag's capitals vary

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.slug}"
