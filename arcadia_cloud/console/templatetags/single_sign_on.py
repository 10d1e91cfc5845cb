"""Template tags of single sign-on."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def provider_name() -> str:
    """Return the identity provider's name for the login page; "" without one."""
    return settings.ARCADIA_OIDC_NAME if settings.ARCADIA_OIDC_ENABLED else ""
