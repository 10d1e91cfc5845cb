"""An authenticator app: shows the codes of a key, as a phone does."""

import re
import time
from base64 import b32decode

from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

SET_UP = "/admin/second-factor/set-up/"
CODE = "/admin/second-factor/code/"
ACCOUNT = "/admin/second-factor/"


def code_of(key: str, *, steps: int = 0) -> str:
    """The code of a key (hexadecimal), now or some steps of 30 seconds from now."""
    totp = TOTP(bytes.fromhex(key))
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


def wrong_code(key: str) -> str:
    """Six digits that the app shows neither now nor a step before or after."""
    shown = {code_of(key, steps=steps) for steps in range(-2, 3)}
    return next(
        code for code in ("000000", "111111", "222222", "333333", "444444", "555555") if code not in shown
    )


def shown_key(html: str) -> str:
    """The key that the set-up page shows beside its QR code, hexadecimal."""
    found = re.search(r'id="key">([A-Z2-7=]+)<', html)
    assert found is not None
    return b32decode(found[1]).hex()


def enrolled(user: User, *codes: str) -> str:
    """Give the user an app, and recovery codes; returns the app's key, none of whose codes was used."""
    device = TOTPDevice.objects.create(user=user, name="app")
    recovery = StaticDevice.objects.create(user=user, name="recovery codes")
    StaticToken.objects.bulk_create(StaticToken(device=recovery, token=code) for code in codes)
    return str(device.key)


def set_up(client: Client) -> tuple[str, list[str]]:
    """Set an app up as a browser does; returns its key and the recovery codes."""
    key = shown_key(client.get(SET_UP).content.decode())
    answer = client.post(SET_UP, {"new_code": code_of(key)})
    assert answer.status_code == 200, answer.headers
    return key, recovery_codes(answer.content.decode())


def recovery_codes(html: str) -> list[str]:
    return re.findall(r"<li><code>([a-z2-7]{4}-[a-z2-7]{4})</code></li>", html)
