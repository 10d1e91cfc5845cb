"""Refusals of provisioning."""

from arcadia_cloud.kernel.errors import Conflict, DomainError


class SubjectBusy(Conflict):
    """Another live saga works on the same thing."""

    code = "saga_subject_busy"


class KeyReused(Conflict):
    """The idempotency key belongs to a saga of another kind or with other inputs."""

    code = "saga_key_reused"


class WrongState(Conflict):
    """The saga is not in a state in which this can be done."""

    code = "saga_state"


class HasResources(Conflict):
    """The deployment has live resources: it is archived by the saga that removes them."""

    code = "has_resources"


class Protected(Conflict):
    """An operator protects the resource: no saga destroys, resizes or powers it off."""

    code = "resource_protected"


class AccountLimit(Conflict):
    """The provider's account may have no more of this kind."""

    code = "account_limit"


class NotRevertable(DomainError):
    """The provider can't put the field back, or not to this value. `errors` names the field."""

    code = "not_revertable"
