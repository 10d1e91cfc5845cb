"""The console's operations pages: alerts to act on, leases to look at."""

from django.contrib import admin, messages
from django.contrib.admin.utils import display_for_value
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from arcadia_cloud.kernel.alerts import resolve_alert
from arcadia_cloud.kernel.models import Alert, Lease
from arcadia_cloud.kernel.record_admin import RecordAdmin
from arcadia_cloud.kernel.theme import action, display

_ = (action, messages, display_for_value)
