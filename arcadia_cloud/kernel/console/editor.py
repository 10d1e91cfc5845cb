"""Pages of rows that operators write by hand: added and edited by those who may."""

from typing import TypeVar

from django.db.models import Model
from django.http import HttpRequest

from arcadia_cloud.kernel.console.actions import ActionsAdmin
from arcadia_cloud.kernel.console.records import BoundedAdmin

M = TypeVar("M", bound=Model)


class EditorAdmin(ActionsAdmin[M], BoundedAdmin[M]):
    """A list, and a form per row, for rows that are added and edited by permission and mostly not deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.add_{self.opts.model_name}")
