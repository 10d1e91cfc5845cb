"""Template tags of single sign-on."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def provider_name() -> str:
    """Return the identity provider's name for the login page; "" without one."""
    provider = settings.ARCADIA_SINGLE_SIGN_ON
    return provider.name if provider else ""
