"""The console's pages of other packages' tables, in its theme: access and the schedule."""

from arcadia_cloud.console.admin import access, change_log, schedule

__all__ = ["access", "change_log", "schedule"]
