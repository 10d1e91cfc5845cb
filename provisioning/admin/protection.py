"""The console's marks of protected resources: set and lifted from a resource's page, all in a list."""

from collections.abc import Sequence

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from arcadia_cloud.kernel.console.actions import actor_of, redirect
from arcadia_cloud.kernel.console.formatting import row_link
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, OneLineInput, action, display
from arcadia_cloud.kernel.errors import NotFound
from inventory.models import Resource
from provisioning.models import ProtectedResource
from provisioning.protection import marks_in_force
from provisioning.services import protect, unprotect


class ProtectForm(DialogForm):
    """The reason."""

    note = forms.CharField(
        label="Why", max_length=500, required=False, widget=OneLineInput, help_text="For the other operators."
    )


@admin.register(ProtectedResource)
class ProtectedResourceAdmin(RecordAdmin[ProtectedResource]):
    """Resources that no saga destroys, resizes or powers off, newest mark first."""

    list_display = ("of", "note", "protected_by", "protected_at")
    list_select_related = ("resource",)
    search_fields = ("resource__provider_id__exact", "resource__name__startswith")
    search_help_text = "A whole provider's id, or how the resource's name begins"
    sortable_by = ()
    fields = ("on", "note", "protected_by", "protected_at")
    readonly_fields = ("on",)
    actions = ("unprotect_selected",)

    def get_urls(self) -> list[URLPattern]:
        """Add the dialogs: by the resource's number, since what isn't protected has no row here."""
        view = self.admin_site.admin_view
        return [
            path(f"{name}/<int:resource_pk>/", view(dialog), name=f"provisioning_protectedresource_{name}")
            for name, dialog in (("protect", self.protect_it), ("unprotect", self.unprotect_it))
        ] + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProtectedResource]:
        marks = super().get_queryset(request).select_related("resource")
        return marks.filter(pk__in=marks_in_force())

    def has_protect_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may set and lift marks."""
        return request.user.has_perm("provisioning.change_protectedresource")

    @action(
        description="Protect",
        permissions=["protect"],
        dialog={
            "title": "Protect this resource?",
            "description": "No saga destroys, resizes or powers it off, until the mark is taken away. Sagas "
            "that work on it already are stopped before their next such step.",
            "form_class": ProtectForm,
            "form_submit_text": "Protect",
        },
    )
    def protect_it(self, request: HttpRequest, form: DialogForm, resource_pk: int) -> HttpResponse:
        """Set the mark."""
        try:
            protect(resource_pk=resource_pk, actor=actor_of(request), note=form.cleaned_data["note"])
        except NotFound as refusal:
            raise Http404 from refusal
        self._log(request, [resource_pk], "Protected from the console.")
        self.message_user(request, "Protected: no saga harms it.", messages.SUCCESS)
        return _redirect_to_resource(resource_pk)

    @action(
        description="Take the mark away",
        permissions=["protect"],
        dialog={
            "title": "Take the mark away?",
            "description": "Sagas may destroy, resize and power off this resource again, unless it has the "
            "tag “protected”.",
            "form_submit_text": "Take it away",
        },
    )
    def unprotect_it(self, request: HttpRequest, _form: DialogForm, resource_pk: int) -> HttpResponse:
        """Lift the mark."""
        if unprotect(resource_pk=resource_pk):
            self._log(request, [resource_pk], "Mark “protected” taken away from the console.")
            self.message_user(request, "No longer protected.", messages.SUCCESS)
        else:
            self.message_user(request, "There was no mark.", messages.WARNING)
        return _redirect_to_resource(resource_pk)

    @admin.action(description="Take the selected marks away", permissions=["protect"])
    def unprotect_selected(self, request: HttpRequest, queryset: QuerySet[ProtectedResource]) -> None:
        """Lift the mark of each."""
        chosen = list(queryset.order_by("pk").values_list("resource_id", flat=True))
        lifted = [pk for pk in chosen if unprotect(resource_pk=pk)]
        self._log(request, lifted, "Mark “protected” taken away from the console.")
        self.message_user(request, f"{len(lifted)} no longer protected.", messages.SUCCESS)

    def _log(self, request: HttpRequest, resource_pks: Sequence[int], message: str) -> None:
        """Log on the resource: the mark's own row may be gone."""
        for resource in Resource.objects.filter(pk__in=resource_pks):
            self.log_change(request, resource, message)  # type: ignore[arg-type] # any model's row is logged

    @display(description="resource")
    def of(self, mark: ProtectedResource) -> str:
        return str(mark.resource)

    @display(description="resource")
    def on(self, mark: ProtectedResource) -> str:
        return row_link("inventory_resource", mark.resource_id, mark.resource)


def _redirect_to_resource(resource_pk: int) -> HttpResponse:
    return redirect(reverse("admin:inventory_resource_change", args=[resource_pk]))
