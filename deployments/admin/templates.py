"""The console's deployment templates: drafts to edit, published versions to look at and to draft from."""

import json
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from arcadia_cloud.kernel.console.actions import Button, actor_of
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, action, display
from arcadia_cloud.kernel.errors import InvalidInput
from deployments.models import DeploymentTemplate
from deployments.services import (
    create_template,
    create_template_draft,
    publish_template,
    update_template_draft,
)
from deployments.template_spec import parse_spec

_COLOURS = {"draft": "info", "published": "success"}


# The least that the schema takes: a new template's form begins with it.
_STARTER: Final = {
    "project": "{tenant}",
    "droplets": [
        {
            "key": "web",
            "name": "{slug}-web",
            "size": "s-1vcpu-1gb",
            "image": "ubuntu-24-04-x64",
            "region": "{region}",
        }
    ],
}


class _IndentedEncoder(json.JSONEncoder):
    """Writes JSON as people edit it; a form's field passes no indentation on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "indent": 2})


class TemplateForm(forms.ModelForm[DeploymentTemplate]):
    """A draft. Its spec is checked by the schema, which names the field that breaks a rule."""

    class Meta:
        model = DeploymentTemplate
        fields = ("code", "spec")
        help_texts = {
            "code": "Of a new template. Its next versions are drafted from a version's page.",
            "spec": "project, droplets, volumes, dns_records, tags; variables: {slug}, {tenant}, {region}.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        spec = self.fields.get("spec")
        if isinstance(spec, forms.JSONField):  # a published version has no field of it
            spec.encoder = _IndentedEncoder

    def clean_code(self) -> str:
        """Refuse a new template's code that is there already: its versions are drafted from a page."""
        code: str = self.cleaned_data["code"]
        if DeploymentTemplate.objects.filter(code=code).exists():
            raise forms.ValidationError("There is a template of this code: draft its next version.")
        return code

    def clean_spec(self) -> Any:
        """Check the spec by its schema."""
        spec = self.cleaned_data["spec"]
        try:
            parse_spec(spec)
        except InvalidInput as refusal:
            raise forms.ValidationError(refusal.detail) from refusal
        return spec


@admin.register(DeploymentTemplate)
class DeploymentTemplateAdmin(RecordAdmin[DeploymentTemplate]):
    """Templates by code, each with its versions."""

    form = TemplateForm
    change_form_template = "kernel/record.html"
    list_display = ("title", "status_badge", "published_at", "published_by")
    search_fields = ("code",)
    search_help_text = "Code"
    sortable_by = ()
    ordering = ("code", "-version")
    fields = ("code", "version", "status_badge", "spec", "published_at", "published_by")
    actions_detail = ("publish_this", "draft_from_this")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("deployments.add_deploymenttemplate")

    def has_change_permission(self, request: HttpRequest, obj: DeploymentTemplate | None = None) -> bool:
        """Only a draft is edited."""
        # The form isn't even offered: the trigger would refuse what it sends.
        may = self.has_edit_permission(request)
        return may and (obj is None or obj.published_at is None)

    def has_edit_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Return whether the user may edit, publish and draft templates."""
        return request.user.has_perm("deployments.change_deploymenttemplate")

    def get_fields(self, request: HttpRequest, obj: DeploymentTemplate | None = None) -> tuple[str, ...]:
        return ("code", "spec") if obj is None else self.fields

    def get_readonly_fields(
        self, request: HttpRequest, obj: DeploymentTemplate | None = None
    ) -> tuple[str, ...]:
        return () if obj is None else ("code", "version", "status_badge", "published_at", "published_by")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"spec": _STARTER, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: DeploymentTemplate, form: Any, change: bool) -> None:
        """Write by the service, which keeps versions apart and published ones as they are."""
        if change:
            update_template_draft(template_pk=obj.pk, spec=obj.spec, actor=actor_of(request))
        else:
            made = create_template(code=obj.code, spec=obj.spec, actor=actor_of(request))
            obj.pk, obj.version = made.pk, made.version

    def available_actions(self, request: HttpRequest, row: DeploymentTemplate) -> list[Button]:
        """Return the buttons that fit."""
        if not self.has_edit_permission(request):
            return []
        return self.buttons(row, {"publish_this": row.published_at is None, "draft_from_this": True})

    @display(description="template")
    def title(self, template: DeploymentTemplate) -> str:
        return str(template)

    @display(description="status", label=_COLOURS)
    def status_badge(self, template: DeploymentTemplate) -> str:
        return "draft" if template.published_at is None else "published"

    @action(
        description="Publish",
        permissions=["edit"],
        icon="publish",
        dialog={
            "title": "Publish this version?",
            "description": "Deployments can be made from it at once, and it never changes again.",
            "form_submit_text": "Publish",
        },
    )
    def publish_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Publish the draft of this page."""
        actor = actor_of(request)
        return self.run_action(
            request,
            object_id,
            lambda pk: publish_template(template_pk=pk, actor=actor, at=timezone.now()),
            logged="Published from the console.",
            message="It is published.",
        )

    @action(
        description="New draft",
        permissions=["edit"],
        icon="edit_note",
        dialog={
            "title": "Draft the next version from this one?",
            "description": "The draft has the same spec. Nothing that was made from this version changes.",
            "form_submit_text": "Make the draft",
        },
    )
    def draft_from_this(self, request: HttpRequest, _form: DialogForm, object_id: str) -> HttpResponse:
        """Make the next version, with this one's spec."""
        actor = actor_of(request)
        return self.run_action(
            request,
            object_id,
            lambda pk: create_template_draft(template_pk=pk, actor=actor),
            logged="Drafted from the console.",
            message="It is a draft.",
        )
