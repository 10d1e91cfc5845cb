"""Users, groups, and logins that failed.

Only a superuser can make a superuser: neither the flag, nor single permissions, nor taking over a
superuser's login is open to others. The devices of the second factor have no pages: they would show secrets.
"""

from typing import TYPE_CHECKING, Any

from axes.models import AccessAttempt
from axes.utils import reset
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import Group, User
from django.db.models import Exists, ManyToManyField, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from arcadia_cloud.console.second_factor.enrolment import reset_second_factor
from arcadia_cloud.kernel.console.actions import ActionsAdmin, Button
from arcadia_cloud.kernel.console.lookups import StrictLookupsAdmin
from arcadia_cloud.kernel.console.records import RecordAdmin
from arcadia_cloud.kernel.console.theme import DialogForm, ThemedCheckboxes, action, display
from arcadia_cloud.main_job.seeds.groups import SEEDED

if TYPE_CHECKING:
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

    ThemedCreationForm = UserCreationForm[User]
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm
    from unfold.forms import UserCreationForm as ThemedCreationForm

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.unregister(StaticDevice)
admin.site.unregister(TOTPDevice)


class ConsoleUserCreationForm(ThemedCreationForm):
    """A new login, with what it needs to sign in and see a page: staff status and its groups."""

    class Meta:
        model = User
        fields = ("username", "is_staff", "groups")
        field_classes = {"username": UsernameField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Every login is one of the console; without the flag it is refused at the login page.
        self.fields["is_staff"].initial = True


@admin.register(User)
class ConsoleUserAdmin(UserAdmin[User], ActionsAdmin[User], StrictLookupsAdmin[User]):
    """Django's users, in the theme, and the reset of their second factor."""

    form = UserChangeForm  # type: ignore[assignment] # the stubs' user is any user model
    add_form = ConsoleUserCreationForm
    add_fieldsets = (
        (
            None,
            {"fields": ("username", "usable_password", "password1", "password2", "is_staff", "groups")},
        ),
    )
    change_password_form = AdminPasswordChangeForm
    change_form_template = "kernel/record.html"
    list_display = ("username", "email", "is_staff", "is_active", "second_factor", "last_login")
    list_filter = ("is_staff", "is_active", "groups")
    list_filter_submit = True
    actions_detail = ("reset_second_factor_of_this",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        apps = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return super().get_queryset(request).annotate(has_app=Exists(apps))

    def available_actions(self, request: HttpRequest, row: User) -> list[Button]:
        may = row != request.user and self.has_change_permission(request, row)
        return self.buttons(row, {"reset_second_factor_of_this": may and getattr(row, "has_app", False)})

    def has_reset_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Return whether the user may reset that person's second factor: a superuser's, a superuser alone."""
        person = self.get_object(request, object_id) if object_id else None
        return self.has_change_permission(request, person)

    @action(
        description="Reset the second factor",
        icon="phonelink_erase",
        permissions=["reset"],
        dialog={
            "title": "Reset the second factor?",
            "description": "The app and the recovery codes are void. At the next sign-in this person sets up "
            "another, by their password alone: make sure that it is they who ask. Was the phone stolen, "
            "change the password as well.",
            "form_submit_text": "Reset it",
        },
    )
    def reset_second_factor_of_this(
        self, request: HttpRequest, _form: DialogForm, object_id: str
    ) -> HttpResponse:
        """Remove a person's app and recovery codes."""

        def reset(pk: int) -> User:
            return reset_second_factor(user_pk=pk, actor_pk=request.user.pk)

        return self.run_action(
            request,
            object_id,
            reset,
            logged="Second factor reset: the app and the recovery codes are void.",
            message="Reset: the next sign-in sets up another second factor.",
        )

    @display(description="second factor", label={"on": "success"})
    def second_factor(self, user: User) -> str:
        return "on" if getattr(user, "has_app", False) else "none"

    # Two lists side by side are wider than a narrow window, and a screen reader can't tell them apart.
    filter_horizontal = ()

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the few groups as boxes to tick."""
        if db_field.name == "groups":
            kwargs["widget"] = ThemedCheckboxes()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        own = tuple(super().get_readonly_fields(request, obj))
        return own if _is_superuser(request) else (*own, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or not obj.is_superuser or _is_superuser(request))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # history names its users; a login that isn't needed is switched off


@admin.register(Group)
class ConsoleGroupAdmin(GroupAdmin, StrictLookupsAdmin[Group]):
    """Groups. The four of the code can't be edited: each set-up writes them again."""

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        may = self.has_change_permission(request, obj) or obj is None
        return ("name", "permissions" if may else "rights")

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "rights")

    @display(description="may")
    def rights(self, group: Group) -> SafeString:
        """Return what the group may do to which things, a line for each thing."""
        verbs: dict[str, list[str]] = {}
        for permission in group.permissions.select_related("content_type"):
            kind = permission.content_type.model_class()
            thing = str(kind._meta.verbose_name) if kind else permission.content_type.model
            verbs.setdefault(capfirst(thing), []).append(permission.codename.partition("_")[0])
        lines = sorted((thing, ", ".join(sorted(may))) for thing, may in verbs.items())
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", lines))

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_seeded(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_seeded(obj)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(RecordAdmin[AccessAttempt]):
    """Logins that failed, newest first. Unlocking forgets a name's failures from an address."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time", "user_agent")
    fields = ("username", "ip_address", "failures_since_start", "attempt_time", "user_agent", "path_info")
    search_fields = ("username__exact", "ip_address__exact")
    search_help_text = "A whole name or address"
    actions = ("unlock_selected",)
    sortable_by = ()

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may clear failures."""
        return request.user.has_perm("axes.delete_accessattempt")

    @admin.action(description="Unlock the selected logins", permissions=["unlock"])
    def unlock_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Let each log in again at once."""
        for attempt in list(queryset):
            # Logged first: the reset deletes the row that the entry names.
            self.log_change(request, attempt, "Unlocked from the console.")
            reset(ip=attempt.ip_address, username=attempt.username)
            self.message_user(request, f"{attempt.username} may log in again.", messages.SUCCESS)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


def _is_seeded(group: Group | None) -> bool:
    return group is not None and group.name in SEEDED
