"""The console's pages that start a saga: the inputs, what will happen, and then the start."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from arcadia_cloud.kernel.console.actions import actor_of
from arcadia_cloud.kernel.console.formatting import with_code
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.errors import DomainError, InvalidInput
from arcadia_cloud.kernel.money import format_change
from provisioning import registry
from provisioning.admin.start_form import StartForm
from provisioning.contract import Workflow
from provisioning.models import SagaRun
from provisioning.queries import Plan, plan_saga
from provisioning.services import refresh_offer, start_saga


class StartAdmin(RecordAdmin[SagaRun]):
    """Adds a page for each workflow, behind a list of them."""

    def get_urls(self) -> list[URLPattern]:
        """Add the pages."""
        view = self.admin_site.admin_view
        return [
            path("start/", view(self.workflows_view), name="provisioning_sagarun_workflows"),
            path("start/<str:kind>/", view(self.start_view), name="provisioning_sagarun_start"),
            *super().get_urls(),
        ]

    def has_start_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may start sagas."""
        return request.user.has_perm("provisioning.change_sagarun")

    def workflows_view(self, request: HttpRequest) -> HttpResponse:
        """List the workflows, each with what its inputs are about."""
        self._require_permission(request)
        workflows = [
            (
                reverse("admin:provisioning_sagarun_start", args=[kind]),
                title_of(each),
                with_code(each.inputs.__doc__ or ""),
            )
            for kind, each in registry.workflows().items()
        ]
        context = {**self._context(request), "title": "Start a saga", "workflows": workflows}
        return TemplateResponse(request, "provisioning/workflows.html", context)

    def start_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Ask for the inputs, show the plan, then start."""
        self._require_permission(request)
        workflow = registry.workflow_of(kind)
        if workflow is None:
            raise Http404
        if request.method != "POST":
            # A link may fill in inputs, and never the key, or two people would share a saga.
            given = {name: value for name, value in request.GET.items() if name != "key"}
            return self._page(request, workflow, StartForm(workflow, initial=given))
        form = StartForm(workflow, request.POST)
        if not form.is_valid() or "back" in request.POST:
            return self._page(request, workflow, form)
        # Outside any transaction: it may call the provider.
        refresh_offer(kind=kind)
        try:
            plan = plan_saga(kind=kind, inputs=form.inputs)
            if "confirmed" not in request.POST:
                return self._page(request, workflow, form, plan)
            saga = start_saga(
                kind=kind,
                inputs=form.inputs,
                actor=actor_of(request),
                # Of one user alone: the key comes from the page, and could be another's.
                idempotency_key=f"console:{request.user.pk}:{form.cleaned_data['key']}",
                start_at=form.cleaned_data["start_at"],
                not_after=form.cleaned_data["not_after"],
            )
        except InvalidInput as refusal:
            form.add_refusal(refusal.errors, refusal.detail)
            return self._page(request, workflow, form)
        except DomainError as refusal:
            self.message_user(request, f"Nothing was started: {refusal.detail}", messages.ERROR)
            return self._page(request, workflow, form)
        self.log_change(request, saga, "Started from the console.")
        when = (
            f"It begins at {saga.start_at:%-d %b %Y, %H:%M} UTC." if saga.is_scheduled else "It is started."
        )
        self.message_user(request, when, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:provisioning_sagarun_change", args=[saga.pk]))

    def _require_permission(self, request: HttpRequest) -> None:
        if not self.has_start_permission(request):
            raise PermissionDenied

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts}

    def _page(
        self, request: HttpRequest, workflow: Workflow, form: StartForm, plan: Plan | None = None
    ) -> HttpResponse:
        """Draw the form; with a plan, the page that shows what will happen."""
        change = plan.effects.price_change if plan else None
        context = {
            **self._context(request),
            "title": title_of(workflow),
            "description": with_code(workflow.inputs.__doc__ or ""),
            "form": form,
            "plan": plan,
            "price": "not known" if change is None else format_change(change),
            "list": reverse("admin:provisioning_sagarun_changelist"),
        }
        return TemplateResponse(request, "provisioning/start.html", context)


def title_of(workflow: Workflow) -> str:
    """Return the workflow's title, made from its kind where it has none."""
    return workflow.title or workflow.kind.replace("_", " ").capitalize()
