"""The lifecycle of a plan's version: its states, and the moves between them."""

from typing import Final

from django.db.models import TextChoices

from arcadia_cloud.kernel.states import Lifecycle


class VersionStatus(TextChoices):
    """The states of a plan's version."""

    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"


LIFECYCLE: Final = Lifecycle(
    VersionStatus,
    {
        VersionStatus.DRAFT: frozenset({"active"}),
        VersionStatus.ACTIVE: frozenset({"retired"}),
        VersionStatus.RETIRED: frozenset(),
    },
    field="status",
)
