"""The choices that the catalog's rows have."""

from django.db.models import TextChoices


class BillingKind(TextChoices):
    """The kinds that usage is metered and priced in, by the names that metering records."""

    DROPLET_HOURS = "droplet_hours", "Droplet hours"
    SPACES_GB_MONTH = "spaces_gb_month", "Spaces, GB-months"
    SNAPSHOT_GB_MONTH = "snapshot_gb_month", "Snapshots, GB-months"
    BACKUP_GB_MONTH = "backup_gb_month", "Backups, GB-months"
    VOLUME_GB_MONTH = "volume_gb_month", "Volumes, GB-months"
    BANDWIDTH_GB = "bandwidth_gb", "Bandwidth, GB"
    DNS_ZONES = "dns_zones", "DNS zones"
    LOAD_BALANCER_HOURS = "load_balancer_hours", "Load balancer hours"
    DATABASE_HOURS = "database_hours", "Database hours"
    RESERVED_IP_HOURS = "reserved_ip_hours", "Reserved IP hours"
    LLM_TOKENS = "llm_tokens", "LLM tokens"


class PriceModelName(TextChoices):
    """The price models, by the names of their modules."""

    PER_UNIT = "per_unit", "Per unit"
    PACKAGE = "package", "Package"
    GRADUATED = "graduated", "Graduated tiers"
    VOLUME = "volume", "Volume tiers"


class BillingInterval(TextChoices):
    """The period that a base price and the allowances are for."""

    MONTH = "month", "Month"
