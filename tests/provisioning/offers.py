"""DigitalOcean's offer for tests, as if it had just been read."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models.functions import Now

from provisioning.models import ProviderOffer

SIZES: Final[Mapping[str, Any]] = {
    "s-1vcpu-1gb": {"price_monthly": "6", "regions": ["fra1", "nyc3"], "is_available": True},
    "s-2vcpu-4gb": {"price_monthly": "24", "regions": ["fra1"], "is_available": True},
    "s-gone": {"price_monthly": "3", "regions": ["fra1"], "is_available": False},
}


def offer(**fields: Any) -> ProviderOffer:
    """Store it, read just now unless `fields` differ."""
    values = {"sizes": SIZES, "read_at": Now(), "tried_at": Now(), "droplet_limit": 10, **fields}
    return ProviderOffer.objects.update_or_create(pk=1, defaults=values)[0]
