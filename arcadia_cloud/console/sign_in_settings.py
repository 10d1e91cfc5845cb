"""Settings of the console's sign-in: passwords, lock-out, second factor, single sign-on. Imports no model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from arcadia_cloud.environment import Environment

SINGLE_SIGN_ON_BACKEND: Final = "arcadia_cloud.console.single_sign_on.backend.SingleSignOnBackend"

# All of them, or none: half a configuration would show a button that leads nowhere.
_NEEDED: Final = (
    "ARCADIA_OIDC_ISSUER", "ARCADIA_OIDC_CLIENT_ID", "ARCADIA_OIDC_CLIENT_SECRET",
    "ARCADIA_OIDC_AUTHORIZATION_URL", "ARCADIA_OIDC_TOKEN_URL", "ARCADIA_OIDC_JWKS_URL",
    "ARCADIA_OIDC_GROUPS",
)  # fmt: skip
_OPTIONAL: Final = (
    "ARCADIA_OIDC_NAME", "ARCADIA_OIDC_SCOPES", "ARCADIA_OIDC_GROUPS_CLAIM", "ARCADIA_OIDC_USERNAME_CLAIM",
    "ARCADIA_OIDC_ALGORITHM", "ARCADIA_OIDC_CLIENT_AUTHENTICATION", "ARCADIA_OIDC_ENFORCES_SECOND_FACTOR",
)  # fmt: skip
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
_VALIDATORS: Final = "django.contrib.auth.password_validation"


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """The company's identity provider; `groups` maps its groups to the console's."""

    name: str
    issuer: str
    client_id: str
    groups: Mapping[str, tuple[str, ...]]
    groups_claim: str
    username_claim: str
    enforces_second_factor: bool
    library: Mapping[str, Any]  # mozilla-django-oidc's own settings


def read_single_sign_on(env: Environment, *, production: bool) -> SingleSignOn | None:
    """Return the identity provider of the environment; None where no variable of one is set.

    What is missing or wrong is collected in `env`.
    """
    if not any(env.is_set(name) for name in (*_NEEDED, *_OPTIONAL)):
        return None
    env.problems += [
        f"{name} is not set, but other variables ARCADIA_OIDC_… are"
        for name in _NEEDED
        if not env.is_set(name)
    ]
    schemes = ("https",) if production else ("https", "http")
    methods = ("client_secret_basic", "client_secret_post")
    client_id = env.text("ARCADIA_OIDC_CLIENT_ID", "")
    return SingleSignOn(
        name=env.text("ARCADIA_OIDC_NAME", "single sign-on"),
        issuer=env.url("ARCADIA_OIDC_ISSUER", "", schemes=schemes),
        client_id=client_id,
        groups=_read_mapping(env, "ARCADIA_OIDC_GROUPS"),
        groups_claim=env.text("ARCADIA_OIDC_GROUPS_CLAIM", "groups"),
        username_claim=env.text("ARCADIA_OIDC_USERNAME_CLAIM", "email"),
        enforces_second_factor=env.flag("ARCADIA_OIDC_ENFORCES_SECOND_FACTOR", default=False),
        library={
            "OIDC_RP_CLIENT_ID": client_id,
            "OIDC_RP_CLIENT_SECRET": env.text("ARCADIA_OIDC_CLIENT_SECRET", ""),
            "OIDC_RP_SIGN_ALGO": env.choice("ARCADIA_OIDC_ALGORITHM", _ALGORITHMS),
            "OIDC_RP_SCOPES": env.text("ARCADIA_OIDC_SCOPES", "openid email profile"),
            "OIDC_OP_AUTHORIZATION_ENDPOINT": env.url("ARCADIA_OIDC_AUTHORIZATION_URL", "", schemes=schemes),
            "OIDC_OP_TOKEN_ENDPOINT": env.url("ARCADIA_OIDC_TOKEN_URL", "", schemes=schemes),
            "OIDC_OP_JWKS_ENDPOINT": env.url("ARCADIA_OIDC_JWKS_URL", "", schemes=schemes),
            "OIDC_OP_USER_ENDPOINT": "",  # asked for by the library; the ID token has all that is read
            "OIDC_TOKEN_USE_BASIC_AUTH": env.choice("ARCADIA_OIDC_CLIENT_AUTHENTICATION", methods)
            == methods[0],
            "OIDC_USE_PKCE": True,
            "OIDC_TIMEOUT": 10,  # seconds, for each of the provider's answers; without, there is no limit
        },
    )


def sign_in_settings(single_sign_on: SingleSignOn | None) -> dict[str, Any]:
    """Return the settings that Django, django-axes, django-otp and mozilla-django-oidc read."""
    return {
        "AUTHENTICATION_BACKENDS": [
            "axes.backends.AxesStandaloneBackend",
            "django.contrib.auth.backends.ModelBackend",
            *([SINGLE_SIGN_ON_BACKEND] if single_sign_on else []),
        ],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"{_VALIDATORS}.UserAttributeSimilarityValidator"},
            {"NAME": f"{_VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
            {"NAME": f"{_VALIDATORS}.CommonPasswordValidator"},
        ],
        "AXES_LOCKOUT_PARAMETERS": [["username", "ip_address"]],
        # The handler forgets failures once the second factor is passed, too: not at the right password.
        "AXES_RESET_ON_SUCCESS": False,
        "AXES_HANDLER": "arcadia_cloud.console.second_factor.attempts.SignInAttempts",
        "AXES_LOCKOUT_CALLABLE": "arcadia_cloud.console.lockout.render_lockout",
        "AXES_ENABLE_ADMIN": False,  # the console has its own page of them, in its theme
        # It stores the query string and the form.
        "AXES_SENSITIVE_PARAMETERS": ["token", "access_token", "code", "new_code", "state", "next"],
        "AXES_CLIENT_IP_CALLABLE": "arcadia_cloud.http.client_address.client_address",
        "OTP_TOTP_ISSUER": "arcadia-cloud",
        **(single_sign_on.library if single_sign_on else {}),
    }


def _read_mapping(env: Environment, name: str) -> dict[str, tuple[str, ...]]:
    """Read `theirs=ours,…`: a group of the provider, and a group of the console that it gives."""
    found: dict[str, tuple[str, ...]] = {}
    for item in env.items(name):
        theirs, equals, ours = (part.strip() for part in item.rpartition("="))
        if not (theirs and equals and ours):
            env.problems.append(f"{name} has {item!r}; each item must be PROVIDERS_GROUP=CONSOLES_GROUP")
        found[theirs] = (*found.get(theirs, ()), ours)
    return found
