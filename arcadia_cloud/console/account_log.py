"""Entries of the change log about people's own access."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User


def log_account_change(account: User, message: str, *, actor: User) -> None:
    """Log a change of `account`, made by `actor`, on the account's row."""
    LogEntry.objects.log_actions(actor.pk, [account], CHANGE, change_message=message, single_object=True)
