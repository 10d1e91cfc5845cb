"""Rules of the second factor: who must have one, and what a session still lacks."""

from enum import Enum

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from arcadia_cloud.console.sign_in_settings import SINGLE_SIGN_ON_BACKEND
from arcadia_cloud.main_job.seeds.groups import VIEWER


class DueStep(Enum):
    """A step between a sign-in and the console."""

    NONE = "none"
    CODE = "code"
    ENROLMENT = "enrolment"


def due_step(request: HttpRequest, user: User) -> DueStep:
    """Return what the session of `user` lacks. One query; three for who needn't have one."""
    if has_passed(request, user):
        return DueStep.NONE
    # Before the rule: whoever has a second factor is asked for it, required or not.
    if is_enrolled(user):
        return DueStep.CODE
    return DueStep.ENROLMENT if is_required(user) else DueStep.NONE


def has_passed(request: HttpRequest, user: User) -> bool:
    """Return whether the session passed a second factor: ours, or the provider's where that is trusted."""
    # Set by django-otp's middleware; a login in this very request hasn't passed it yet.
    if getattr(user, "otp_device", None) is not None:
        return True
    provider = settings.ARCADIA_SINGLE_SIGN_ON
    if provider is None or not provider.enforces_second_factor:
        return False
    return bool(request.session.get(BACKEND_SESSION_KEY) == SINGLE_SIGN_ON_BACKEND)


def is_required(user: User) -> bool:
    """Return whether the user must have a second factor: all but mere viewers, where the setting asks for it.

    A mere viewer has the group viewer, no other, and no permission beside it.
    """
    if not settings.ARCADIA_SECOND_FACTOR_REQUIRED:
        return False
    if user.is_superuser or list(user.groups.values_list("name", flat=True)) != [VIEWER]:
        return True
    return user.user_permissions.exists()


def is_enrolled(user: User) -> bool:
    """Return whether the user has an app that is confirmed; recovery codes alone are none."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())
