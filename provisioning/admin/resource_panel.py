"""The panel of provisioning on a resource's page: its mark, its desired state, the sagas that work on it."""

from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from arcadia_cloud.kernel.models import Alert
from inventory.models import Resource
from inventory.resource_panels import panel
from inventory.values import Kind
from provisioning.admin.formatting import STATUS_COLOURS, status_text
from provisioning.admin.start import title_of
from provisioning.left_off import LEFT_OFF
from provisioning.models import Provisioned, SagaRun
from provisioning.protection import has_protected_tag, marks_in_force
from provisioning.registry import workflow_of

_SHOWN = 5
# The workflows on a resource by its kind, and the input that names it.
_WORKFLOWS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    Kind.DROPLET: (
        "droplet_id",
        ("power_off_droplet", "power_on_droplet", "resize_droplet", "snapshot_droplet", "destroy_droplet"),
    ),
    Kind.VOLUME: ("volume_id", ("delete_volume",)),
    Kind.RESERVED_IP: ("address", ("release_reserved_ip",)),
    Kind.SNAPSHOT: ("snapshot_id", ("delete_snapshot",)),
}


@panel
def provisioning_of(request: HttpRequest, resource: Resource) -> SafeString:
    """Render a card; nothing for a user who may not see sagas. Four queries."""
    if not request.user.has_perm("provisioning.view_sagarun"):
        return mark_safe("")
    subject = f"{resource.kind}:{resource.provider_id}"
    sagas = list(SagaRun.objects.about(subject).defer("inputs", "context").order_by("-pk")[: _SHOWN + 1])
    labels = [(saga, status_text(saga)) for saga in sagas[:_SHOWN]]
    list_of_sagas = reverse("admin:provisioning_sagarun_changelist")
    return render_to_string(
        "provisioning/resource_panel.html",
        {
            "resource": resource,
            "mark": marks_in_force().filter(resource=resource).first(),
            "is_tagged": has_protected_tag(resource.tags),
            "may_protect": request.user.has_perm("provisioning.change_protectedresource"),
            "left_off": Alert.objects.filter(code=LEFT_OFF, subject=subject, resolved_at=None).first(),
            "provisioned": Provisioned.objects.filter(resource=resource).first(),
            "sagas": [(saga, label, STATUS_COLOURS.get(label, "")) for saga, label in labels],
            "starts": _list_starts(request, resource),
            "all_sagas": f"{list_of_sagas}?{urlencode({'q': subject})}" if len(sagas) > _SHOWN else "",
        },
    )


def _list_starts(request: HttpRequest, resource: Resource) -> list[tuple[str, str]]:
    """Return the titles and addresses of the pages that start a saga of this resource."""
    field, kinds = _WORKFLOWS.get(resource.kind, ("", ()))
    if resource.deleted_at or not request.user.has_perm("provisioning.change_sagarun"):
        return []
    query = urlencode({field: resource.provider_id})
    workflows = [workflow for kind in kinds if (workflow := workflow_of(kind)) is not None]
    return [
        (title_of(each), f"{reverse('admin:provisioning_sagarun_start', args=[each.kind])}?{query}")
        for each in workflows
    ]
