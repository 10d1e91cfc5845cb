"""Refusals of single sign-on."""

from arcadia_cloud.kernel.errors import Conflict


class SignInRefused(Conflict):
    """The provider's answer isn't accepted, or the person may not use the console."""

    code = "sign_in_refused"
