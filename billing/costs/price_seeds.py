"""The provider's list prices that an installation begins with, each with its source and the day of it.

DigitalOcean has no list of these prices in its API. A price is verified where it stands on DigitalOcean's
own page, read there or quoted elsewhere with the page's address; the others are a guess until an operator
looked. What has no price of its own for each resource has no row, and is unpriced: Spaces and registries (one
subscription for the account), backups (a share of the droplet's price), apps.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from billing.values import PriceUnit
from inventory.values import Kind

_DOCS: Final = "https://docs.digitalocean.com/products"
_READ_ON: Final = date(2026, 11, 29)
_NODE: Final = Decimal(12)
_BALANCERS: Final = f"{_DOCS}/networking/load-balancers/details/pricing/"
_DATABASES: Final = "https://www.digitalocean.com/pricing/managed-databases"


@dataclass(frozen=True, slots=True)
class PriceSeed:
    """A price in dollars a month of one unit. `doubt` is the reason why it isn't verified, "" where it is."""

    kind: Kind
    sku: str
    price: Decimal
    page: str
    unit: PriceUnit = PriceUnit.MONTH
    read_on: date = _READ_ON
    note: str = ""
    doubt: str = ""

    @property
    def source(self) -> str:
        """The page, with what there is to know of it."""
        if self.doubt:
            return f"not verified, {self.doubt}: check it against {self.page}"
        return f"{self.page} ({self.note})" if self.note else self.page


def _free(kind: Kind, page: str, *, note: str = "", doubt: str = "") -> PriceSeed:
    return PriceSeed(kind, "", Decimal(0), f"{_DOCS}/{page}/", note=note, doubt=doubt)


# The document of the API says how many nodes the sizes of old are (`size` of a load balancer).
_OF_BALANCERS: Final = tuple(
    PriceSeed(
        Kind.LOAD_BALANCER,
        sku,
        _NODE * nodes,
        _BALANCERS,
        read_on=date(2026, 10, 7),
        note=f"as quoted on that day; {nodes} nodes of 12" if nodes > 1 else "as quoted on that day",
    )
    for sku, nodes in (("node", 1), ("lb-small", 1), ("lb-medium", 3), ("lb-large", 6))
)
# A node's, at its plan's least storage. The sku names no engine and no storage, and both have a price.
_OF_DATABASES: Final = tuple(
    PriceSeed(
        Kind.DATABASE,
        sku,
        Decimal(price),
        _DATABASES,
        read_on=date(2026, 9, 29),
        doubt="as it is PostgreSQL's with the least storage: other engines and disks cost something else",
    )
    for sku, price in (("db-s-1vcpu-1gb", "15.15"), ("db-s-1vcpu-2gb", "30.45"), ("db-s-2vcpu-4gb", "60.90"))
)

SEEDS: Final = (
    PriceSeed(
        Kind.SNAPSHOT, "", Decimal("0.06"), f"{_DOCS}/images/snapshots/details/pricing/", PriceUnit.GIB_MONTH
    ),
    PriceSeed(
        Kind.IMAGE, "", Decimal("0.06"), f"{_DOCS}/custom-images/details/pricing/", PriceUnit.GIB_MONTH
    ),
    PriceSeed(
        Kind.VOLUME, "", Decimal("0.10"), f"{_DOCS}/volumes/details/pricing/", PriceUnit.GIB_MONTH,
        note="as quoted",
    ),
    _free(
        Kind.KUBERNETES_CLUSTER,
        "kubernetes/details/pricing",
        note="control plane without high availability; nodes are droplets",
    ),
    _free(Kind.FIREWALL, "networking/firewalls", note="at no additional cost"),
    _free(Kind.DNS_ZONE, "networking/dns/details/pricing", note="at no cost, as quoted"),
    _free(Kind.CERTIFICATE, "networking/load-balancers", note="at no additional cost"),
    _free(Kind.CDN_ENDPOINT, "spaces/how-to/enable-cdn", note="its transfer is charged as that of Spaces"),
    _free(Kind.VPC, "networking/vpc/details/pricing", doubt="as no page that was read says so"),
    PriceSeed(
        Kind.RESERVED_IP,
        "assigned",
        Decimal(0),
        f"{_DOCS}/networking/reserved-ips/how-to/modify/",
        note="assigned IPv4 addresses are free",
    ),
    PriceSeed(
        Kind.RESERVED_IP,
        "unassigned",
        Decimal(5),
        f"{_DOCS}/networking/reserved-ips/details/pricing/",
        note="as quoted: 0.01 an hour, rounded, and at most 5 a month",
    ),
    *_OF_BALANCERS,
    *_OF_DATABASES,
)  # fmt: skip
