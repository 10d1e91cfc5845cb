"""The ingest of one invoice: its documents are read first, then its lines replaced in one transaction.

One process at a time ingests an invoice; a second one waits. What goes wrong leaves the lines that were
there as they were, and says so on the invoice.
"""

from datetime import datetime
from typing import Final

import structlog
from django.db import transaction
from django.db.models.functions import Now

from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.database import patiently
from arcadia_cloud.kernel.errors import Conflict, DomainError, InvalidInput
from arcadia_cloud.kernel.leases import HeldLease, lease
from billing.csv_reading import UnreadableInvoice
from billing.documents import Documents
from billing.lines import Kept, replace_lines
from billing.models import ProviderInvoice
from billing.reconciling import Verdict, reconcile
from billing.values import IngestStatus

log = structlog.get_logger(__name__)

LEASE_SECONDS: Final = 60
WAIT_SECONDS: Final = 900  # as long as the longest ingest of another may take
MISMATCH_ALERT: Final = "invoice_mismatch"
FAILED_ALERT: Final = "invoice_failed"
