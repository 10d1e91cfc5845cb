"""Refusals of deployments and subscriptions."""

from arcadia_cloud.kernel.errors import Conflict, DomainError, InvalidInput, NotFound


class DeploymentNotFound(NotFound):
    """No such deployment, or none that the caller may know of."""

    code = "deployment_not_found"


class SlugTaken(Conflict):
    """The tenant has a deployment of this slug, in whatever capitals."""

    code = "slug_taken"


class InvalidDeployment(InvalidInput):
    """A value that no deployment may have."""

    code = "invalid_deployment"


class OperatorsTransition(DomainError):
    """The lifecycle has this move, and only an operator may make it."""

    code = "operators_transition"
    status = 403


class NotSubscribable(Conflict):
    """The deployment's state doesn't admit a subscription."""

    code = "not_subscribable"


class AlreadySubscribed(Conflict):
    """The deployment has a live subscription; another plan is a change of that one."""

    code = "already_subscribed"


class NotSubscribed(Conflict):
    """The deployment has no live subscription."""

    code = "not_subscribed"


class InvalidPeriod(InvalidInput):
    """The first period of a subscription must contain the day on which it begins."""

    code = "invalid_period"


class PlanUnchanged(Conflict):
    """The subscription has this version already, or goes to it with the next period."""

    code = "plan_unchanged"


class DowngradeTakesNextPeriod(DomainError):
    """A version without proration was paid in full: a cheaper one follows with the next period."""

    code = "downgrade_takes_next_period"


class CurrencyDiffers(DomainError):
    """A subscription has one currency."""

    code = "currency_differs"


class AddonNotOnSale(NotFound):
    """No such add-on, or none that is sold now."""

    code = "addon_not_on_sale"


class AddonAttached(Conflict):
    """The subscription has this add-on already."""

    code = "addon_attached"


class AddonNotAttached(NotFound):
    """The subscription doesn't have this add-on."""

    code = "addon_not_attached"


class InvalidDiscount(InvalidInput):
    """The terms of a discount make no reduction."""

    code = "invalid_discount"


class DiscountNotFound(NotFound):
    """No such discount."""

    code = "discount_not_found"


class BillingActionSuspended(Conflict):
    """An operator keeps automatic billing actions away from this deployment."""

    code = "billing_action_suspended"


class InvalidTemplate(InvalidInput):
    """The spec of a deployment template breaks its schema, or doesn't fit the deployment."""

    code = "invalid_template"


class TemplatePublished(Conflict):
    """A published template never changes; its next version is a draft of its own."""

    code = "template_published"


class TemplateExists(Conflict):
    """There is a template of this code."""

    code = "template_exists"
