"""The values of metering: granularities, how each kind accrues, and what a run of it did."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db.models import TextChoices

from catalog.values.kinds import BillingKind
from inventory.values import Kind

# Two years, and a month for who asks late; the current and the last month are kept whatever is set.
DEFAULT_RETENTION_DAYS: Final = 761
# What inventory doesn't know; the other kinds are metered from what runs, and would be counted twice.
INTAKE_KINDS: Final = (BillingKind.LLM_TOKENS, BillingKind.BANDWIDTH_GB)
MOST_EVENTS: Final = 10_000  # of a batch
LONGEST_NAME: Final = 200  # of a source, an event, a sub-account
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class Granularity(TextChoices):
    """The length of the periods that usage is recorded in."""

    DAILY = "daily", "Daily"
    HOURLY = "hourly", "Hourly"

    @property
    def length(self) -> timedelta:
        """The length of one period."""
        return DAY if self is Granularity.DAILY else HOUR


class BandwidthOrigin(TextChoices):
    """The ways in which a deployment's bandwidth is known."""

    PROVIDER = "provider", "The provider's monitoring"
    INTAKE = "intake", "Usage events"
    NONE = "none", "Not at all"


class Accrual(TextChoices):
    """The rules by which a resource's life becomes a quantity, at an even rate.

    `hours`: the hours in which it is active. `size`: its GB, divided over the month. `count`: one, divided
    over the month.
    """

    HOURS = "hours", "Active hours"
    SIZE = "size", "GB-months"
    COUNT = "count", "A month each"


@dataclass(frozen=True, slots=True)
class MeteredKind:
    """An inventory kind, the billing kind that its resources are metered in, and how they accrue."""

    kind: Kind
    billing_kind: BillingKind
    accrual: Accrual


# What isn't here has no usage: a firewall costs nothing, tokens and bandwidth come from elsewhere.
METERED_KINDS: Final[tuple[MeteredKind, ...]] = (
    MeteredKind(Kind.DROPLET, BillingKind.DROPLET_HOURS, Accrual.HOURS),
    MeteredKind(Kind.DATABASE, BillingKind.DATABASE_HOURS, Accrual.HOURS),
    MeteredKind(Kind.LOAD_BALANCER, BillingKind.LOAD_BALANCER_HOURS, Accrual.HOURS),
    MeteredKind(Kind.RESERVED_IP, BillingKind.RESERVED_IP_HOURS, Accrual.HOURS),
    MeteredKind(Kind.SPACES_BUCKET, BillingKind.SPACES_GB_MONTH, Accrual.SIZE),
    MeteredKind(Kind.SNAPSHOT, BillingKind.SNAPSHOT_GB_MONTH, Accrual.SIZE),
    MeteredKind(Kind.DROPLET_BACKUP, BillingKind.BACKUP_GB_MONTH, Accrual.SIZE),
    MeteredKind(Kind.VOLUME, BillingKind.VOLUME_GB_MONTH, Accrual.SIZE),
    MeteredKind(Kind.DNS_ZONE, BillingKind.DNS_ZONES, Accrual.COUNT),
)


@dataclass(frozen=True, slots=True)
class MeteringTerms:
    """The terms under which a billing kind is metered on a day."""

    granularity: Granularity = Granularity.DAILY
    retention_days: int = DEFAULT_RETENTION_DAYS


@dataclass(frozen=True, slots=True)
class MeteringCounts:
    """The rows of usage that metering inserted, corrected and removed.

    `unsized`: records of 0 of resources whose size is unknown, of a kind that is metered by size.
    """

    inserted: int = 0
    corrected: int = 0
    removed: int = 0
    unsized: int = 0

    def __add__(self, other: "MeteringCounts") -> "MeteringCounts":
        return MeteringCounts(
            self.inserted + other.inserted,
            self.corrected + other.corrected,
            self.removed + other.removed,
            self.unsized + other.unsized,
        )


@dataclass(frozen=True, slots=True)
class MeteringResult:
    """A run's periods by their starts, oldest first: those it metered, and those that changed since.

    `missed` are those of `metered` that an earlier run should have metered.
    """

    metered: tuple[datetime, ...] = ()
    missed: tuple[datetime, ...] = ()
    remetered: tuple[datetime, ...] = ()
    counts: MeteringCounts = field(default_factory=MeteringCounts)


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """The events of a batch: how many came, how many of them were new and count, how many had come before."""

    received: int
    counted: int
    duplicates: int
