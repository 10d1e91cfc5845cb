"""Refusals of the catalog."""

from arcadia_cloud.kernel.errors import Conflict, InvalidInput, NotFound


class PlanNotOnSale(NotFound):
    """No such plan, none with an active version, or none that is offered to this tenant."""

    code = "plan_not_on_sale"


class VersionPublished(Conflict):
    """A published version and its items never change; a new price is a new version."""

    code = "version_published"


class VersionReplaced(Conflict):
    """Another version became active since the caller looked."""

    code = "version_replaced"


class InvalidTerms(InvalidInput):
    """The terms of a draft make no price."""

    code = "invalid_terms"


class NoteRequired(Conflict):
    """Something speaks against publishing the version, and no note is given why it is published."""

    code = "publish_note_required"
