"""The theme's settings: looks and home page. Read by settings: imports no model.

Nothing is loaded from elsewhere: styles, scripts, fonts and icons come from our own static files.
"""

from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def unfold_settings(*, production: bool) -> dict[str, Any]:
    """Return the theme's settings."""
    return {
        "SITE_TITLE": "arcadia-cloud",
        "SITE_HEADER": "arcadia-cloud",
        "SITE_SUBHEADER": "Operator's console",
        "SITE_SYMBOL": "cloud",
        "SITE_URL": None,
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("console/cloud.svg")}
        ],
        "SHOW_HISTORY": True,
        "SHOW_VIEW_ON_SITE": False,
        "ENVIRONMENT": "arcadia_cloud.console.theme_settings.production"
        if production
        else "arcadia_cloud.console.theme_settings.development",
        "DASHBOARD_CALLBACK": "arcadia_cloud.console.dashboard.dashboard",
        "STYLES": [lambda _request: static("console/console.css")],
        "COLORS": {"primary": _BLUE},
        "ACCOUNT": {
            "navigation": [
                {"title": "Change password", "link": reverse_lazy("admin:password_change")},
                {"title": "Second factor", "link": reverse_lazy("second_factor")},
            ]
        },
        "SIDEBAR": {
            "show_search": False,
            "show_all_applications": False,
        },
    }


def production(_request: HttpRequest) -> list[str]:
    """Return the badge in the page's head, so that production isn't taken for development."""
    return ["Production", "danger"]


def development(_request: HttpRequest) -> list[str]:
    """Return the badge of development."""
    return ["Development", "info"]


# White on 600 and 700, and 400 and 500 on the dark ground, have the contrast that WCAG AA asks for.
_BLUE: Final = {
    "50": "oklch(97% .014 254.604)",
    "100": "oklch(93.2% .032 255.585)",
    "200": "oklch(88.2% .059 254.128)",
    "300": "oklch(80.9% .105 251.813)",
    "400": "oklch(70.7% .165 254.624)",
    "500": "oklch(62.3% .214 259.815)",
    "600": "oklch(54.6% .245 262.881)",
    "700": "oklch(48.8% .243 264.376)",
    "800": "oklch(42.4% .199 265.638)",
    "900": "oklch(37.9% .146 265.522)",
    "950": "oklch(28.2% .091 267.935)",
}
