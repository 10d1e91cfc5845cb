"""Refusals of drift."""

from arcadia_cloud.kernel.errors import Conflict


class AlreadyResolved(Conflict):
    """The row isn't open any more, or a rule ignores it."""

    code = "drift_resolved"


class ValueMoved(Conflict):
    """The live or the desired value is another than the operator has seen."""

    code = "drift_moved"


class RevertUnderWay(Conflict):
    """A saga puts the field back already."""

    code = "drift_reverting"


class ResourceBusy(Conflict):
    """A live saga works on the resource."""

    code = "drift_resource_busy"


class NotAdoptable(Conflict):
    """The resource has a desired state already, or is gone."""

    code = "not_adoptable"
