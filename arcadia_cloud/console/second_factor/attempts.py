"""Failed attempts at the second factor: they count for the lock-out like wrong passwords."""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django_otp.models import Device

from arcadia_cloud.console.second_factor.codes import accept_code
from arcadia_cloud.console.second_factor.errors import LockedOut, WrongCode
from arcadia_cloud.console.second_factor.policy import DueStep, due_step


class SignInAttempts(AxesDatabaseHandler):  # type: ignore[misc] # django-axes has no types
    """Stores attempts as django-axes does, and forgets failures only when the whole sign-in succeeded.

    At the right password alone, whoever knows it would have the failures of their codes forgotten, too.
    """

    def user_logged_in(self, sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
        super().user_logged_in(sender, request, user, **kwargs)
        if due_step(request, user) is DueStep.NONE:
            self.reset_user_attempts(request, _credentials_of(user))


def use_code(request: HttpRequest, user: User, code: str) -> Device:
    """Use up a code of the user's and return its device; a wrong one is counted as a wrong password is.

    Raises LockedOut, also at the wrong code that was one too many, WrongCode and CodeThrottled.
    """
    if not AxesProxyHandler.is_allowed(request, _credentials_of(user)):
        raise LockedOut("This login is locked.")
    try:
        return accept_code(user, code)
    except WrongCode:
        user_login_failed.send(sender=__name__, credentials=_credentials_of(user), request=request)
        if getattr(request, "axes_locked_out", False):
            raise LockedOut("This login is locked.") from None
        raise


def forget_failures(request: HttpRequest, user: User) -> None:
    """Forget the failures of the user's name at the request's address: the sign-in is complete."""
    AxesProxyHandler.update_request(request)
    AxesProxyHandler.get_implementation().reset_user_attempts(request, _credentials_of(user))


def _credentials_of(user: User) -> dict[str, str]:
    """Return what django-axes counts by: no password is among it."""
    return {"username": user.get_username()}
