"""The address of the client, as far as our own proxies vouch for it."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

LOCAL = "127.0.0.1"  # a Unix socket has no address: what comes through it is this machine's


def client_address(request: HttpRequest) -> str:
    """Return the client's address: of the connection, or of what our proxies put into X-Forwarded-For.

    Behind N proxies (ARCADIA_TRUSTED_PROXIES), the Nth entry from the right. A proxy that appends leaves what
    the client made up to the left of it; of one that sets the header there is nothing to the left. With fewer
    entries than proxies, one of them has set the header: the first entry is the furthest that we know. An
    entry that is no address is no proxy's work, and the connection's counts.
    """
    peer = _address(request.META.get("REMOTE_ADDR", "")) or LOCAL
    if settings.ARCADIA_TRUSTED_PROXIES == 0:
        return peer
    forwarded = request.headers.get("X-Forwarded-For", "")
    entries = [entry.strip() for entry in forwarded.split(",") if entry.strip()]
    if not entries:
        return peer
    return _address(entries[-min(settings.ARCADIA_TRUSTED_PROXIES, len(entries))]) or peer


def _address(text: str) -> str | None:
    """Return an address in its one spelling, without a port; None for anything else."""
    bare = text
    if text.startswith("["):  # [2001:db8::1]:443
        bare = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # 192.0.2.1:443
        bare = text.partition(":")[0]
    try:
        return str(ip_address(bare))
    except ValueError:
        return None
