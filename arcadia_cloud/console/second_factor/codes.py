"""Checks of a code: the app's present one, or a recovery code, each good once."""

import math
import re
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from arcadia_cloud.console.second_factor.errors import CodeThrottled, WrongCode

_OF_APP: Final = re.compile(r"[0-9]{6}")


def accept_code(user: User, text: str) -> Device:
    """Use up a code of the user's and return the device that it is of; blanks and dashes don't count.

    Raises WrongCode, and CodeThrottled while the pause after wrong codes lasts (1, 2, 4, 8 … seconds): the
    right one isn't tried then, and stays good.
    """
    code = re.sub(r"[\s-]", "", text).lower()
    model = TOTPDevice if _OF_APP.fullmatch(code) else StaticDevice
    with transaction.atomic():
        # Locked, so that of two requests with one code a single one finds it unused.
        device = model.objects.select_for_update().filter(user=user, confirmed=True).order_by("pk").first()
        allowed, pause = device.verify_is_allowed() if device else (True, None)
        is_right = device is not None and allowed and device.verify_token(code)
    # Outside: raised inside, the count of wrong codes would be rolled back.
    if pause is not None:
        seconds = max(1, math.ceil((pause["locked_until"] - timezone.now()).total_seconds()))
        raise CodeThrottled(f"Too fast after a wrong code: wait {seconds} s, then enter the present one.")
    if device is None or not is_right:
        raise WrongCode(
            "This code isn't right, or was used before. The app shows a new one every 30 seconds."
        )
    return device


def count_recovery_codes(user: User) -> int:
    """Return how many recovery codes the user has left."""
    return int(StaticDevice.objects.filter(user=user, token_set__isnull=False).count())
