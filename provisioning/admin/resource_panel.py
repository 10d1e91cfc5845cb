"""The panel of provisioning on a resource's page: its mark, its desired state, the sagas that work on it."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from arcadia_cloud.kernel.models import Alert
from inventory.models import Resource
from inventory.resource_panels import panel
from provisioning.admin.formatting import STATUS_COLOURS, status_text
from provisioning.admin.resource_starts import list_starts
from provisioning.left_off import LEFT_OFF
from provisioning.models import Provisioned, SagaRun
from provisioning.protection import has_protected_tag, marks_in_force
from provisioning.states import LIVE, SagaStatus

_SHOWN = 5
WORKING = {*LIVE, SagaStatus.FAILED}  # a dead letter holds its subjects, too


@panel
def provisioning_of(request: HttpRequest, resource: Resource) -> SafeString:
    """Render a card; nothing for a user who may not see sagas. Five queries at most."""
    if not request.user.has_perm("provisioning.view_sagarun"):
        return mark_safe("")
    subject = f"{resource.kind}:{resource.provider_id}"
    sagas = list(SagaRun.objects.about(subject).defer("inputs", "context").order_by("-pk")[: _SHOWN + 1])
    labels = [(saga, status_text(saga)) for saga in sagas[:_SHOWN]]
    mark, is_tagged = marks_in_force().filter(resource=resource).first(), has_protected_tag(resource.tags)
    busy = next((saga for saga in sagas if saga.status in WORKING and not saga.is_scheduled), None)
    list_of_sagas = reverse("admin:provisioning_sagarun_changelist")
    return render_to_string(
        "provisioning/resource_panel.html",
        {
            "resource": resource,
            "mark": mark,
            "is_tagged": is_tagged,
            "may_protect": request.user.has_perm("provisioning.change_protectedresource"),
            "left_off": Alert.objects.filter(code=LEFT_OFF, subject=subject, resolved_at=None).first(),
            "provisioned": Provisioned.objects.filter(resource=resource).first(),
            "sagas": [(saga, label, STATUS_COLOURS.get(label, "")) for saga, label in labels],
            "starts": list_starts(
                request, resource, is_protected=is_tagged or mark is not None, is_busy=busy is not None
            ),
            "busy": busy,
            "all_sagas": f"{list_of_sagas}?{urlencode({'q': subject})}" if len(sagas) > _SHOWN else "",
        },
        request,  # the forms have its token
    )
