"""Permissions of the console's groups."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client, RequestFactory

from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from arcadia_cloud.main_job.seeds.groups import seed_groups
from deployments.models import DeploymentTemplate
from inventory.models import Project, Resource, ResourceEvent, SyncRun
from tests.console.conftest import Login
from tests.console.rows import ACCESS_LISTS, EVERY_LIST, some_of_everything

# Published versions never change; plans and add-ons are not deleted.
CATALOG = (
    *(f"{verb}_{model}" for verb in ("add", "change") for model in (
        "plan", "plantenant", "planversion", "planitem", "addon", "resourceprice", "taxrate")),
    *(f"delete_{model}" for model in ("plantenant", "planversion", "planitem", "resourceprice", "taxrate")),
)  # fmt: skip
PROVIDER_PRICES = ("add_providerprice", "change_providerprice")
EXCHANGE_RATES = ("add_exchangerate", "change_exchangerate", "delete_exchangerate")


@pytest.mark.parametrize("address", ["", *(f"{name}/" for name in (*EVERY_LIST, *ACCESS_LISTS))])
def test_a_stranger_gets_the_login_page(client: Client, db: None, address: str) -> None:
    answer = client.get(f"/admin/{address}")

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/?next=")


@pytest.mark.parametrize("group", ["viewer", "operator", "billing", "admin"])
def test_every_group_sees_every_record(login: Login, group: str) -> None:
    some_of_everything(1)
    client = login(group)

    assert {name: client.get(f"/admin/{name}/").status_code for name in EVERY_LIST} == dict.fromkeys(
        EVERY_LIST, 200
    )


@pytest.mark.parametrize("group", ["viewer", "admin"])
def test_the_page_of_every_record_opens(login: Login, group: str) -> None:
    client = login(group)
    some_of_everything(1)
    seed_schedule()
    for name in EVERY_LIST:
        model = apps.get_model(name.replace("/", "."))
        row = model._default_manager.order_by("pk").first()
        if row is not None:  # no work goes on, so nobody holds a lease
            assert client.get(f"/admin/{name}/{row.pk}/change/").status_code == 200, name
            assert client.get(f"/admin/{name}/{row.pk}/history/").status_code == 200, name


def test_a_seeded_groups_page_says_what_it_may_thing_by_thing(login: Login) -> None:
    page = login("admin").get(f"/admin/auth/group/{Group.objects.get(name='billing').pk}/change/")
    text = page.content.decode()

    assert "<li>Alert: view</li>" in text
    assert "<li>Exchange rate: add, change, delete, view</li>" in text
    assert text.count("<li>Exchange rate:") == 1


@pytest.mark.parametrize(("group", "status"), [("viewer", 403), ("operator", 403), ("admin", 200)])
def test_access_is_the_admins_alone(login: Login, group: str, status: int) -> None:
    client = login(group)

    assert {client.get(f"/admin/{name}/").status_code for name in ACCESS_LISTS} == {status}


def test_a_login_without_a_group_sees_no_figure(login: Login) -> None:
    some_of_everything(1)
    client = login("")

    assert b"Your login belongs to no group yet" in client.get("/admin/").content
    assert {client.get(f"/admin/{name}/").status_code for name in EVERY_LIST} == {403}


def test_no_group_adds_edits_or_deletes_a_record(login: Login) -> None:
    some_of_everything(1)
    client = login("superuser")
    before = list(Resource.objects.values())
    rows = {"resource": Resource.objects.get(), "syncrun": SyncRun.objects.get()}
    for name, row in {**rows, "resourceevent": ResourceEvent.objects.get()}.items():
        base = f"/admin/inventory/{name}/"
        assert client.get(f"{base}add/").status_code == 403
        assert client.post(f"{base}add/", {"name": "x"}).status_code == 403
        assert client.post(f"{base}{row.pk}/change/", {"name": "x"}).status_code == 403
        assert client.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        client.post(base, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})

    assert list(Resource.objects.values()) == before
    assert SyncRun.objects.count() == 1
    assert ResourceEvent.objects.count() == 1


def test_no_mirrored_table_offers_to_delete_its_selection(login: Login, rf: RequestFactory) -> None:
    login("superuser")
    request = rf.get("/admin/")
    request.user = User.objects.get()
    for model, page in admin.site._registry.items():
        if model._meta.app_label in {"inventory", "kernel", "deployments", "provisioning", "axes", "admin"}:
            assert "delete_selected" not in page.get_actions(request), model
            # A template is an operator's own, made of drafts.
            assert page.has_add_permission(request) == (model is DeploymentTemplate), model


def test_groups_have_exactly_their_permissions_however_often_they_are_seeded(db: None) -> None:
    assert seed_groups() == 4
    viewer = Group.objects.get(name="viewer")
    viewer.permissions.add(Permission.objects.get(codename="change_project"))
    own = Group.objects.create(name="our own")

    call_command("seed_groups")

    named = {
        group.name: {
            permission.codename
            for permission in group.permissions.all()
            if not permission.codename.startswith("view_")
        }
        for group in Group.objects.all()
    }
    assert named["viewer"] == named[own.name] == set()
    assert named["billing"] == {
        "add_auditrun",
        "change_costanomaly",
        "change_providerinvoice",
        "change_subscriptiondiscount",
        *PROVIDER_PRICES,
        *EXCHANGE_RATES,
        *CATALOG,
    }
    assert named["admin"] > {*CATALOG, *PROVIDER_PRICES, *EXCHANGE_RATES}
    assert named["operator"] == {
        "change_project",
        "change_resource",
        "add_syncrun",
        "add_auditrun",
        "change_alert",
        "change_costanomaly",
        "change_deployment",
        "change_sagarun",
        "change_provisioningbrake",
        "change_protectedresource",
        "change_drift",
        "change_driftignorerule",
        "add_meteringconfig",
        "add_bandwidthsource",
        "add_deploymenttemplate",
        "change_deploymenttemplate",
    }
    assert {"add_user", "change_user", "change_periodictask"} < named["admin"]
    assert not viewer.permissions.filter(content_type__app_label="auth").exists()


def test_an_admin_can_not_make_a_superuser(login: Login) -> None:
    client = login("admin")
    root = User.objects.create_superuser("root", password="the-right-password-1")
    mine = User.objects.get(username="admin-1")
    form = {"username": "admin-1", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    form |= {"date_joined_0": "22/11/2026", "date_joined_1": "10:00:00"}
    form |= {"user_permissions": str(Permission.objects.get(codename="delete_user").pk)}

    passwords = {"password1": "a-new-password-1", "password2": "a-new-password-1"}

    taken_over = client.post(f"/admin/auth/user/{root.pk}/password/", passwords)
    saved = client.post(f"/admin/auth/user/{mine.pk}/change/", form)

    mine.refresh_from_db()
    root.refresh_from_db()
    assert saved.status_code == 302
    assert not mine.is_superuser
    assert not mine.user_permissions.exists()
    assert taken_over.status_code == 403
    assert root.check_password("the-right-password-1")


def test_the_seeded_groups_are_not_edited_by_hand(login: Login) -> None:
    client = login("superuser")
    viewer = Group.objects.get(name="viewer")
    form = {"name": "viewer", "permissions": [str(Permission.objects.get(codename="change_project").pk)]}

    assert client.post(f"/admin/auth/group/{viewer.pk}/change/", form).status_code == 403
    assert not viewer.permissions.filter(codename="change_project").exists()


def test_a_viewer_changes_nothing(viewer: Client) -> None:
    some_of_everything(1)
    project = Project.objects.get()

    answer = viewer.post(f"/admin/inventory/project/{project.pk}/change/", {"tenant_id": "mine"})

    assert answer.status_code == 403
    assert Project.objects.get().tenant_id == "tenant-0"


def test_a_new_login_is_made_ready_to_sign_in_on_one_page(login: Login) -> None:
    admin_of_users = login("admin")
    # Not by the page's text: the theme's classes have the word "checked", too.
    page = admin_of_users.get("/admin/auth/user/add/")
    assert page.context["adminform"].form["is_staff"].value() is True

    given = {
        "username": "vera",
        "usable_password": "true",
        "password1": "look-only-77",
        "password2": "look-only-77",
    }
    viewers = Group.objects.get(name="viewer")
    admin_of_users.post("/admin/auth/user/add/", {**given, "is_staff": "on", "groups": [viewers.pk]})

    vera = User.objects.get(username="vera")
    assert vera.is_staff
    assert not vera.is_superuser
    assert list(vera.groups.all()) == [viewers]
