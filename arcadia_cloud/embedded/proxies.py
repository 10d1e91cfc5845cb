"""What runs on this machine is reached directly, whatever proxy leads to the internet."""

from collections.abc import Mapping
from typing import Final

_HERE: Final = ("127.0.0.1", "localhost", "::1")
_NAMES: Final = ("no_proxy", "NO_PROXY")  # libraries read the one or the other, most the first that is set


def past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables by which HTTP clients go past a proxy, with this machine added to what they name."""
    told = next((environment[name] for name in _NAMES if environment.get(name)), "")
    hosts = dict.fromkeys([*filter(None, map(str.strip, told.split(","))), *_HERE])
    return dict.fromkeys(_NAMES, told if told.strip() == "*" else ",".join(hosts))
