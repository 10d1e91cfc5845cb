"""Settings of the console's sign-in: passwords, lock-out, second factor, single sign-on. Imports no model."""

from datetime import timedelta
from typing import Any, Final

from arcadia_cloud.environment import Environment

SINGLE_SIGN_ON_BACKEND: Final = "arcadia_cloud.console.single_sign_on.backend.SingleSignOnBackend"

# All of them, or none: half a configuration would show a button that leads nowhere.
NEEDED: Final = (
    "ARCADIA_OIDC_ISSUER", "ARCADIA_OIDC_CLIENT_ID", "ARCADIA_OIDC_CLIENT_SECRET", "ARCADIA_OIDC_AUTHORIZATION_URL",
    "ARCADIA_OIDC_TOKEN_URL", "ARCADIA_OIDC_JWKS_URL", "ARCADIA_OIDC_GROUPS",
)  # fmt: skip
_OPTIONAL: Final = (
    "ARCADIA_OIDC_NAME", "ARCADIA_OIDC_SCOPES", "ARCADIA_OIDC_GROUPS_CLAIM", "ARCADIA_OIDC_USERNAME_CLAIM",
    "ARCADIA_OIDC_ALGORITHM", "ARCADIA_OIDC_CLIENT_AUTHENTICATION", "ARCADIA_OIDC_ENFORCES_SECOND_FACTOR",
)  # fmt: skip


def sign_in_settings(env: Environment, *, production: bool) -> dict[str, Any]:
    """Return Django's settings of signing in, from the environment; problems are collected in `env`."""
    single_sign_on = _single_sign_on(env, schemes=("https",) if production else ("https", "http"))
    backends = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
    validators = "django.contrib.auth.password_validation"
    return {
        "AUTHENTICATION_BACKENDS": backends
        + ([SINGLE_SIGN_ON_BACKEND] if single_sign_on["ARCADIA_OIDC_ENABLED"] else []),
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"{validators}.UserAttributeSimilarityValidator"},
            {"NAME": f"{validators}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
            {"NAME": f"{validators}.CommonPasswordValidator"},
        ],
        "AXES_FAILURE_LIMIT": env.number("ARCADIA_LOGIN_FAILURES", 5, at_least=1),
        "AXES_COOLOFF_TIME": timedelta(minutes=env.number("ARCADIA_LOGIN_COOLOFF_MINUTES", 15, at_least=1)),
        "AXES_LOCKOUT_PARAMETERS": [["username", "ip_address"]],
        # The handler forgets failures once the second factor is passed, too: not at the right password.
        "AXES_RESET_ON_SUCCESS": False,
        "AXES_HANDLER": "arcadia_cloud.console.second_factor.attempts.SignInAttempts",
        "AXES_LOCKOUT_CALLABLE": "arcadia_cloud.console.lockout.render_lockout",
        "AXES_ENABLE_ADMIN": False,  # the console has its own page of them, in its theme
        # It stores the query string and the form.
        "AXES_SENSITIVE_PARAMETERS": ["token", "access_token", "code", "new_code", "state", "next"],
        "AXES_CLIENT_IP_CALLABLE": "arcadia_cloud.http.client_address.client_address",
        "ARCADIA_SECOND_FACTOR_REQUIRED": env.flag("ARCADIA_SECOND_FACTOR_REQUIRED", default=production),
        "OTP_TOTP_ISSUER": "arcadia-cloud",
        **single_sign_on,
    }


def _single_sign_on(env: Environment, *, schemes: tuple[str, ...]) -> dict[str, Any]:
    """Return the settings of the identity provider; without any variable of it, single sign-on is off."""
    enabled = any(env.is_set(name) for name in (*NEEDED, *_OPTIONAL))
    if enabled:
        env.problems += [
            f"{name} is not set, but other variables ARCADIA_OIDC_… are"
            for name in NEEDED
            if not env.is_set(name)
        ]
    issuer = env.url("ARCADIA_OIDC_ISSUER", "", schemes=schemes)
    authentication = env.choice(
        "ARCADIA_OIDC_CLIENT_AUTHENTICATION", ("client_secret_basic", "client_secret_post")
    )
    algorithms = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
    return {
        "ARCADIA_OIDC_ENABLED": enabled,
        "ARCADIA_OIDC_NAME": env.text("ARCADIA_OIDC_NAME", "single sign-on"),
        "ARCADIA_OIDC_ISSUER": issuer,
        "ARCADIA_OIDC_GROUPS": _mapping(env, "ARCADIA_OIDC_GROUPS"),
        "ARCADIA_OIDC_GROUPS_CLAIM": env.text("ARCADIA_OIDC_GROUPS_CLAIM", "groups"),
        "ARCADIA_OIDC_USERNAME_CLAIM": env.text("ARCADIA_OIDC_USERNAME_CLAIM", "email"),
        "ARCADIA_OIDC_ENFORCES_SECOND_FACTOR": env.flag("ARCADIA_OIDC_ENFORCES_SECOND_FACTOR", default=False),
        "OIDC_RP_CLIENT_ID": env.text("ARCADIA_OIDC_CLIENT_ID", ""),
        "OIDC_RP_CLIENT_SECRET": env.text("ARCADIA_OIDC_CLIENT_SECRET", ""),
        "OIDC_RP_SIGN_ALGO": env.choice("ARCADIA_OIDC_ALGORITHM", algorithms),
        "OIDC_RP_SCOPES": env.text("ARCADIA_OIDC_SCOPES", "openid email profile"),
        "OIDC_OP_AUTHORIZATION_ENDPOINT": env.url("ARCADIA_OIDC_AUTHORIZATION_URL", "", schemes=schemes),
        "OIDC_OP_TOKEN_ENDPOINT": env.url("ARCADIA_OIDC_TOKEN_URL", "", schemes=schemes),
        "OIDC_OP_JWKS_ENDPOINT": env.url("ARCADIA_OIDC_JWKS_URL", "", schemes=schemes),
        "OIDC_OP_USER_ENDPOINT": "",  # the library asks for it; the ID token has all that is read
        "OIDC_TOKEN_USE_BASIC_AUTH": authentication == "client_secret_basic",
        "OIDC_USE_PKCE": True,
        "OIDC_TIMEOUT": 10,  # seconds, for each of the provider's two answers; the library would wait for ever
    }


def _mapping(env: Environment, name: str) -> dict[str, list[str]]:
    """Read `theirs=ours,…`: the provider's group, and the console's group that it gives."""
    found: dict[str, list[str]] = {}
    for item in env.items(name):
        theirs, equals, ours = (part.strip() for part in item.rpartition("="))
        if not (theirs and equals and ours):
            env.problems.append(f"{name} has {item!r}; each item must be PROVIDERS_GROUP=CONSOLES_GROUP")
        found.setdefault(theirs, []).append(ours)
    return found
