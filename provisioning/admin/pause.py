"""The console's pause: a button and a dialog each to set it and to lift it."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from arcadia_cloud.kernel.console.actions import actor_of, log_without_row, redirect_to_list
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, OneLineInput, action
from provisioning.models import ProvisioningBrake, SagaRun
from provisioning.services import pause, unpause


class PauseForm(DialogForm):
    """The reason."""

    reason = forms.CharField(
        label="Why", max_length=500, widget=OneLineInput, help_text="For the other operators."
    )


class PauseAdmin(RecordAdmin[SagaRun]):
    """The two dialogs; the templates show their buttons where they report the pause."""

    actions_list = ("pause_all", "lift_pause")

    def has_pause_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may pause and release all sagas."""
        return request.user.has_perm("provisioning.change_provisioningbrake")

    @action(
        description="Pause all sagas",
        permissions=["pause"],
        icon="pause_circle",
        dialog={
            "title": "Pause all sagas?",
            "description": "Nothing new starts, and running sagas stop at their next step, until somebody "
            "lifts the pause. What they have done so far stays as it is.",
            "form_class": PauseForm,
            "form_submit_text": "Pause",
        },
    )
    def pause_all(self, request: HttpRequest, form: DialogForm) -> HttpResponse:
        """Set the pause."""
        reason = form.cleaned_data["reason"]
        pause(actor=actor_of(request), reason=reason)
        _log(request, f"Paused from the console: {reason}")
        self.message_user(request, "Provisioning is paused.", messages.WARNING)
        return redirect_to_list(SagaRun)

    @action(
        description="Lift the pause",
        permissions=["pause"],
        icon="play_circle",
        dialog={
            "title": "Lift the pause?",
            "description": "Sagas go on where they stand, within seconds.",
            "form_submit_text": "Lift",
        },
    )
    def lift_pause(self, request: HttpRequest, _form: DialogForm) -> HttpResponse:
        """Let sagas go on."""
        unpause(actor=actor_of(request))
        _log(request, "Pause lifted from the console.")
        self.message_user(request, "Sagas go on.", messages.SUCCESS)
        return redirect_to_list(SagaRun)


def _log(request: HttpRequest, message: str) -> None:
    log_without_row(request, ProvisioningBrake, "pause of provisioning", message)
