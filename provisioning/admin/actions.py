"""The operator's actions on a saga: begin, cancel, retry, re-enqueue, from its page and from the list."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from arcadia_cloud.kernel.console.actions import Button, actor_of
from arcadia_cloud.kernel.console.theme import DialogForm, OneLineInput, action
from provisioning.admin.pause import PauseAdmin
from provisioning.admin.start import StartAdmin
from provisioning.models import SagaRun, SagaStepResult
from provisioning.queries import saga_by_id
from provisioning.services import begin_saga, cancel_saga, refresh_offer, requeue_saga, retry_saga
from provisioning.states import LIVE, Direction, SagaStatus, StepStatus


class RetryForm(DialogForm):
    """A question, with what a saga's compensation left behind where it is incomplete."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        saga_id: str = kwargs["object_id"]  # from the address: it may be anything
        failed = SagaStepResult.objects.none()
        if saga_id.isdecimal():
            failed = SagaStepResult.objects.filter(
                saga_id=int(saga_id), status=StepStatus.COMPENSATION_FAILED
            )
        left = [f"{step.name}: {(step.error or {})['compensation']['message']}" for step in failed]
        if left:
            self.fields["left"] = forms.CharField(
                label="Not undone by this saga",
                initial="; ".join(left),
                disabled=True,
                required=False,
                widget=OneLineInput,
                help_text="The new saga takes over what this one found, and puts back to that.",
            )


class SagaActionsAdmin(StartAdmin, PauseAdmin):
    """Adds the dialogs and the list's actions. Cancelling a whole selection isn't offered: it undoes work."""

    actions = ("requeue_selected", "retry_selected")
    logged_fields = ("status",)
    actions_detail = ("begin_this", "cancel_this", "retry_this", "requeue_this")

    def has_act_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may cancel, retry and re-enqueue. A saga is never edited."""
        return request.user.has_perm("provisioning.change_sagarun")

    def available_actions(self, request: HttpRequest, saga: SagaRun) -> list[Button]:
        """Return the buttons that fit the saga's state."""
        if not self.has_act_permission(request):
            return []
        is_live, is_dead = saga.status in LIVE, saga.status == SagaStatus.FAILED
        forward = saga.direction == Direction.FORWARD
        fits = {
            "begin_this": saga.is_scheduled,
            "cancel_this": (is_live or is_dead) and forward and not saga.cancel_requested,
            "retry_this": is_dead or saga.status == SagaStatus.ROLLED_BACK,
            "requeue_this": is_live and not saga.is_scheduled,
        }
        return self.buttons(saga, fits)

    @action(
        description="Begin now",
        permissions=["act"],
        icon="play_arrow",
        dialog={
            "title": "Begin this saga now?",
            "description": "It doesn't wait for its time: it is checked again and begins at once.",
            "form_submit_text": "Begin now",
        },
    )
    def begin_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Begin the scheduled saga of this page."""

        def begin(pk: int) -> SagaRun:
            refresh_offer(kind=saga_by_id(pk).kind)
            return begin_saga(saga_id=pk)

        return self.run_action(
            request,
            object_id,
            begin,
            logged="Begun from the console, before its time.",
            message="It begins.",
        )

    @action(
        description="Cancel",
        permissions=["act"],
        icon="undo",
        dialog={
            "title": "Cancel this saga?",
            "description": "What it did so far is undone, the last step first: at its next step, or at once "
            "while it waits.",
            "form_dismiss_text": "Keep it running",
            "form_submit_text": "Cancel the saga",
        },
    )
    def cancel_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Cancel the saga of this page."""
        actor = actor_of(request)
        return self.run_action(
            request,
            object_id,
            lambda pk: cancel_saga(saga_id=pk, actor=actor),
            logged="Cancelled from the console.",
            message="It is being undone.",
        )

    @action(
        description="Retry",
        permissions=["act"],
        icon="replay",
        dialog={
            "title": "Retry this saga?",
            "description": "A dead letter goes on where it stood. A saga that was rolled back is started "
            "again, as a new one with the same inputs.",
            "form_class": RetryForm,
            "form_submit_text": "Retry",
        },
    )
    def retry_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Retry the saga of this page."""
        actor = actor_of(request)
        return self.run_action(
            request,
            object_id,
            lambda pk: retry_saga(saga_id=pk, actor=actor),
            logged="Retried from the console.",
            message="A worker was asked to go on.",
        )

    @action(
        description="Re-enqueue",
        permissions=["act"],
        icon="notifications_active",
        dialog={
            "title": "Re-enqueue this saga?",
            "description": "A worker is asked to look at it now. Harmless at any time: a saga that waits "
            "goes on waiting, and one that a worker holds isn't advanced twice.",
            "form_submit_text": "Re-enqueue",
        },
    )
    def requeue_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Nudge for the saga of this page."""
        return self.run_action(
            request,
            object_id,
            lambda pk: requeue_saga(saga_id=pk),
            logged="Re-enqueued from the console.",
            message="A worker was asked to look at it.",
        )

    @admin.action(description="Re-enqueue the selected sagas", permissions=["act"])
    def requeue_selected(self, request: HttpRequest, queryset: QuerySet[SagaRun]) -> None:
        """Nudge for each."""
        self.run_action_on_each(
            request, queryset, lambda pk: requeue_saga(saga_id=pk), logged="Re-enqueued from the console."
        )

    @admin.action(description="Retry the selected sagas", permissions=["act"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[SagaRun]) -> None:
        """Let dead letters go on, start rolled-back ones again."""
        actor = actor_of(request)
        self.run_action_on_each(
            request,
            queryset,
            lambda pk: retry_saga(saga_id=pk, actor=actor),
            logged="Retried from the console.",
        )
