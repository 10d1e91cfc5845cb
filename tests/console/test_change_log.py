"""The log: who changed what, with old and new, whichever form of the console it was."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.console.lookups import StrictLookupsAdmin
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from catalog.models import ResourcePrice, TaxRate
from deployments.services import create_template
from metering.models import MeteringConfig
from tests.catalog.rows import draft, stored_plan
from tests.console.conftest import Login
from tests.console.rows import ACCESS_LISTS, EVERY_LIST, queries_of, some_of_everything
from tests.deployments.test_templates import SPEC

LOG = "/admin/admin/logentry/"
# The forms that a superuser can save with one value changed, found by the walk.
EDITABLE = {
    "inventory.project",
    "catalog.plan",
    "catalog.planversion",
    "catalog.addon",
    "catalog.resourceprice",
    "catalog.taxrate",
    "deployments.deploymenttemplate",
    "metering.meteringconfig",
    "billing.providerprice",
    "billing.exchangerate",
    "django_celery_beat.periodictask",
    "django_celery_beat.crontabschedule",
    "django_celery_beat.intervalschedule",
    "auth.user",
    "auth.group",
}


@pytest.fixture
def root(login: Login) -> Client:
    return login("superuser")


def last() -> LogEntry:
    return LogEntry.objects.latest("pk")


def fields_of(page: Any) -> Iterator[tuple[str, forms.BoundField]]:
    """The bound fields of a page's form and of its inline forms, by the names that they are posted under."""
    formsets = [each.formset for each in page.context["inline_admin_formsets"]]
    for form in [page.context["adminform"].form, *(form for formset in formsets for form in formset.forms)]:
        for bound in form:
            yield bound.html_name, bound
    for formset in formsets:
        for bound in formset.management_form:
            yield bound.html_name, bound


def posted(page: Any) -> dict[str, Any]:
    """The values that a browser would post if nothing were changed."""
    data: dict[str, Any] = {}
    for name, bound in fields_of(page):
        value = bound.value()
        widget = bound.field.widget
        if isinstance(widget, forms.MultiWidget):
            for number, part in enumerate(widget.decompress(value) or ()):
                data[f"{name}_{number}"] = widget.widgets[number].format_value(part) or ""
        elif isinstance(widget, forms.CheckboxInput):
            data |= {name: "on"} if value else {}
        elif isinstance(value, list | tuple):
            data[name] = [getattr(each, "pk", each) for each in value]
        else:
            data[name] = "" if value is None else value
    return {name: "" if value is None else value for name, value in data.items()}


def changed(page: Any) -> Iterator[dict[str, Any]]:
    """The values that a browser would post with one plain field changed, for each such field."""
    form = page.context["adminform"].form
    for name, field in form.fields.items():
        data, bound = posted(page), form[name]
        if isinstance(field, forms.BooleanField):
            data.pop(name) if name in data else data.update({name: "on"})
        elif isinstance(field, forms.IntegerField | forms.DecimalField):
            data[name] = str(int(bound.value() or 0) + 7)
        elif isinstance(field, forms.JSONField):
            data[name] = data[name].replace("{tenant}", "{slug}")
        elif isinstance(field, forms.CharField):
            data[name] = "7"
        else:
            continue
        yield data


def test_every_form_of_the_console_logs_the_old_value_and_the_new_one(root: Client) -> None:
    some_of_everything(1)
    draft(stored_plan("draft"), 5000, dns_zones=5)
    create_template(code="shop", spec=SPEC, actor="a test")
    coming = timezone.now().date() + timedelta(days=30)  # a price that is in force isn't edited
    ResourcePrice.objects.create(resource_kind="dns_zones", price_cents=50, effective_from=coming)
    TaxRate.objects.create(code="VAT", percent=10, effective_from=coming)
    MeteringConfig.objects.create(
        resource_kind="dns_zones", effective_from=coming, set_by="a test", set_at=timezone.now()
    )
    saved = set()
    for label in sorted(name.replace("/", ".") for name in (*EVERY_LIST, *ACCESS_LISTS)):
        model = apps.get_model(label)
        assert isinstance(admin.site._registry[model], StrictLookupsAdmin), label
        if any(save_one_change(root, row) for row in rows_to_try(model)):
            saved.add(label)
            assert " → " in last().change_message, (label, last().change_message)
            assert last().content_type == ContentType.objects.get_for_model(model)
    assert saved == EDITABLE


def rows_to_try(model: type[Model]) -> list[Model]:
    rows = model._default_manager.order_by("-pk")
    return list(rows.exclude(is_superuser=True) if model is User else rows)[:3]


def save_one_change(client: Client, row: Model) -> bool:
    """Whether the row's page took a form with one changed field."""
    address = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"
    page = client.get(address)
    if not page.context["has_change_permission"]:
        return False
    before = LogEntry.objects.count()
    for data in changed(page):
        client.post(address, data)
        if LogEntry.objects.count() > before and last().change_message != "Nothing changed.":
            return True
    return False


def test_groups_permissions_and_passwords_are_logged_by_name_and_without_secrets(root: Client) -> None:
    ann = User.objects.create_user("ann", password="the-right-password-1", is_staff=True)
    ours = Group.objects.create(name="ours")
    ann.groups.add(Group.objects.get(name="viewer"))
    address = f"/admin/auth/user/{ann.pk}/change/"
    form = posted(root.get(address))
    groups = [Group.objects.get(name=name).pk for name in ("viewer", "operator")]
    root.post(address, {**form, "groups": groups, "email": "ann@example.org"})
    assert last().change_message == "email: - → ann@example.org; groups: viewer → operator, viewer"

    root.post(
        f"/admin/auth/user/{ann.pk}/password/",
        {"password1": "a-new-secret-12", "password2": "a-new-secret-12"},
    )
    assert last().change_message == "password: changed"
    new = {"username": "bob", "password1": "a-new-secret-12", "password2": "a-new-secret-12"}
    assert root.post("/admin/auth/user/add/", {**new, "usable_password": "true"}).status_code == 302
    assert "username: - → bob; password: changed" in last().change_message
    assert not LogEntry.objects.filter(change_message__contains="secret-12").exists()

    page = f"/admin/auth/group/{ours.pk}/change/"
    root.post(page, {"name": "ours", "permissions": [Permission.objects.get(codename="change_drift").pk]})
    assert re.fullmatch(r"permissions: - → [^;]*Can change drift", last().change_message)
    many = [*Permission.objects.filter(codename__startswith="view_").values_list("pk", flat=True)[:9]]
    root.post(page, {"name": "ours", "permissions": many})
    assert re.match(r"permissions: 1 → 9: \+ .*, - [^,]*Can change drift", last().change_message)


def test_the_expert_pages_of_the_schedule_log_times_and_switches(root: Client) -> None:
    seed_schedule()
    task, other = PeriodicTask.objects.filter(crontab__isnull=False).order_by("name")[:2]
    address = f"/admin/django_celery_beat/periodictask/{task.pk}/change/"
    root.post(address, {**posted(root.get(address)), "crontab": other.crontab_id})
    assert last().change_message == f"crontab: {task.crontab} → {other.crontab}"

    both = {"_selected_action": [task.pk, other.pk]}
    lists = "/admin/django_celery_beat/periodictask/"
    for action, message in (("disable_tasks", "enabled: on → off"), ("enable_tasks", "enabled: off → on")):
        before = LogEntry.objects.count()
        root.post(lists, {"action": action, **both})
        root.post(lists, {"action": action, **both})  # changes nothing more
        assert LogEntry.objects.count() == before + 2
        assert last().change_message == message


def test_a_long_value_is_cut_to_where_it_differs(root: Client) -> None:
    seed_schedule()
    note, task = "x" * 900, PeriodicTask.objects.all()[0]
    PeriodicTask.objects.filter(pk=task.pk).update(description=f"{note} before")
    address = f"/admin/django_celery_beat/periodictask/{task.pk}/change/"
    root.post(address, {**posted(root.get(address)), "description": f"{note} after"})
    assert re.fullmatch("description: …x{39} before → …x{39} after", last().change_message)


def test_the_log_is_read_by_person_thing_and_time(root: Client) -> None:
    ann, user_type = User.objects.create_user("ann"), ContentType.objects.get_for_model(User)
    raise_alert(code="test", subject="x:1", message="wrong")
    alert = Alert.objects.get()
    root.post(
        f"/admin/kernel/alert/{alert.pk}/note_this/", {"note": "look <b>here</b>", "_form_submitted": "on"}
    )
    LogEntry.objects.create(
        user=ann, content_type=user_type, object_id=str(ann.pk), object_repr="ann", action_flag=CHANGE,
        change_message="email: - → a@b.c; groups: viewer → operator",
    )  # fmt: skip
    gone = LogEntry.objects.create(
        user=ann, content_type=user_type, object_id="987654", object_repr="bob", action_flag=DELETION
    )
    LogEntry.objects.filter(pk=gone.pk).update(action_time=timezone.now() - timedelta(days=3))

    page = root.get(LOG).content.decode()
    assert "note: - → look &lt;b&gt;here&lt;/b&gt;" in page
    assert f'<a href="/admin/auth/user/{ann.pk}/change/" class="text-link">ann</a>' in page
    assert "/admin/auth/user/987654/" not in page
    assert 'console-change">email: - → a@b.c</span><span' in page
    assert f"{LogEntry.objects.first().action_time:%Y-%m-%d %H:%M}" in page  # type: ignore[union-attr]
    found = {
        query: [entry.object_repr for entry in root.get(f"{LOG}?{query}").context["cl"].result_list]
        for query in (
            "person=ann",
            "thing=kernel.alert",
            "days=1",
            "action_flag=3",
            "person=ann&days=1",
            "q=operator",
        )
    }
    assert found == {
        "person=ann": ["bob", "ann"],
        "thing=kernel.alert": [str(alert)],
        "days=1": ["ann", str(alert)],
        "action_flag=3": ["bob"],
        "person=ann&days=1": ["ann"],
        "q=operator": ["ann"],
    }
    for nonsense in ("thing=x", "days=2", "action_flag=9", "thing=auth.permission"):
        assert "e=1" in root.get(f"{LOG}?{nonsense}").headers["Location"]


def test_the_log_asks_as_many_queries_with_many_entries_as_with_few(root: Client) -> None:
    some_of_everything(1)
    address = f"{LOG}?thing=auth.user&days=365"
    few = queries_of(root, address)
    some_of_everything(20)
    assert len(queries_of(root, address)) == len(few)
