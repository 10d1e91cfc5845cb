"""Proxy variables: this machine is reached directly, whatever proxy leads to the internet."""

from collections.abc import Mapping
from typing import Final

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_NAMES: Final = ("no_proxy", "NO_PROXY")  # libraries read the one or the other, most the first that is set


def no_proxy_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of hosts to reach without a proxy, with this machine added to them."""
    value = next((environment[name] for name in _NAMES if environment.get(name)), "")
    hosts = dict.fromkeys([*filter(None, map(str.strip, value.split(","))), *_LOOPBACK])
    return dict.fromkeys(_NAMES, value if value.strip() == "*" else ",".join(hosts))
