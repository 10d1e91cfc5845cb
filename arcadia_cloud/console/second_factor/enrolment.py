"""Writes of the second factor: an app is confirmed, recovery codes are made, everything is removed."""

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from arcadia_cloud.console.account_log import log_account_change
from arcadia_cloud.console.second_factor.errors import (
    AlreadyEnrolled,
    NothingToReset,
    OwnSecondFactor,
    WrongCode,
)
from arcadia_cloud.console.second_factor.policy import is_enrolled
from arcadia_cloud.kernel.errors import NotFound

RECOVERY_CODES: Final = 10
_APP: Final = "app"  # the devices' names; each user has one of each kind
_RECOVERY: Final = "recovery codes"


def app_address(user: User, key: str) -> str:
    """Return the otpauth:// address of a key (hexadecimal) that isn't confirmed yet, for the QR code."""
    return str(TOTPDevice(user=user, key=key).config_url)


def require_shown(key: str, code: str) -> None:
    """Raise WrongCode unless an app with the key (hexadecimal) shows the code now, a step before or after."""
    if not (code.isdecimal() and TOTP(bytes.fromhex(key)).verify(int(code), tolerance=1)):
        raise WrongCode("The app doesn't show this code now. Is the phone's clock right?")


@transaction.atomic
def enrol(user: User, *, key: str, code: str, may_replace: bool) -> tuple[TOTPDevice, list[str]]:
    """Make the app that shows `code` for `key` the user's second factor; return it with new recovery codes.

    A former app, and former recovery codes, are void then. Raises AlreadyEnrolled where there is one and
    `may_replace` is false, and WrongCode; nothing is written then.
    """
    # Locked: two sessions that know the password alone may not both enrol.
    User.objects.select_for_update().get(pk=user.pk)
    if is_enrolled(user) and not may_replace:
        raise AlreadyEnrolled("There is a second factor already: sign in with it to replace it.")
    TOTPDevice.objects.filter(user=user).delete()
    device = TOTPDevice.objects.create(user=user, name=_APP, key=key)
    # It remembers the code's time, so that the same code doesn't open the next sign-in.
    if not device.verify_token(code):
        raise WrongCode("The app doesn't show this code any more: enter the next one.")
    log_account_change(user, "Second factor set up: an app, with recovery codes.", actor=user)
    return device, _renew_codes(user)


@transaction.atomic
def replace_recovery_codes(user: User) -> list[str]:
    """Return ten new recovery codes of the user; the former ones are void."""
    log_account_change(user, "New recovery codes made.", actor=user)
    return _renew_codes(user)


@transaction.atomic
def remove_second_factor(user: User) -> None:
    """Remove the user's own app and recovery codes."""
    _remove_devices(user)
    log_account_change(user, "Second factor turned off.", actor=user)


@transaction.atomic
def reset_second_factor(*, user_pk: int, actor_pk: int | None) -> User:
    """Remove another person's app and recovery codes, for a phone that is lost; return the person.

    Sessions that passed by them are asked anew, or sent to the set-up. The caller logs it. Raises NotFound,
    NothingToReset, and OwnSecondFactor: a stolen session could reset one's own, which takes a code.
    """
    user = User.objects.select_for_update().filter(pk=user_pk).first()
    if user is None:
        raise NotFound("There is no such user.")
    if user.pk == actor_pk:
        raise OwnSecondFactor("Your own second factor is replaced on your own page of it, with a code.")
    if not _remove_devices(user):
        raise NothingToReset(f"{user.get_username()} has no second factor.")
    return user


def _remove_devices(user: User) -> bool:
    """Remove every device of the user; return whether there was one."""
    found = [model.objects.filter(user=user).delete()[0] for model in (TOTPDevice, StaticDevice)]
    return any(found)


def _renew_codes(user: User) -> list[str]:
    """Replace the codes and keep their device: a session that came in by one of them goes on."""
    device, _ = StaticDevice.objects.get_or_create(user=user, name=_RECOVERY)
    device.token_set.all().delete()
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes
