"""The second factor over HTTP: who needs it, what opens without it, and what a code is good for."""

import re
from functools import partial

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django.fixtures import Settings

from arcadia_cloud.console.second_factor.codes import accept_code
from arcadia_cloud.console.second_factor.enrolment import enrol
from arcadia_cloud.console.second_factor.errors import AlreadyEnrolled, CodeThrottled, WrongCode
from arcadia_cloud.main_job.seeds.groups import seed_groups
from tests.access import bearer, token_of
from tests.console.authenticators import (
    ACCOUNT,
    CODE,
    SET_UP,
    code_of,
    enrolled,
    recovery_codes,
    set_up,
    shown_key,
    wrong_code,
)
from tests.console.conftest import PASSWORD
from tests.kernel.threads import at_once

LOGIN = "/admin/login/"
HOME = "/admin/"
ASKED = {"_form_submitted": "on"}  # of a dialog that was posted, not opened


@pytest.fixture
def required(settings: Settings) -> None:
    settings.ARCADIA_SECOND_FACTOR_REQUIRED = True


def a_user(name: str, *groups: str) -> User:
    seed_groups()
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def signed_in(name: str) -> Client:
    """A browser after the login page, whatever comes next."""
    client = Client()
    assert client.post(LOGIN, {"username": name, "password": PASSWORD}).status_code == 302
    return client


def way_of(client: Client, address: str = HOME) -> str:
    """The page that the address leads to: itself, or that of the next step."""
    answer = client.get(address)
    return address if answer.status_code == 200 else answer.headers["Location"].partition("?")[0]


def messages_of(user: User) -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=user.pk).order_by("pk")]


@pytest.mark.parametrize(
    ("groups", "goes_to"),
    [
        (["viewer"], HOME),
        (["viewer", "operator"], SET_UP),
        (["operator"], SET_UP),
        (["billing"], SET_UP),
        (["admin"], SET_UP),
        ([], SET_UP),
    ],
)
def test_all_but_mere_viewers_must_set_it_up(
    db: None, required: None, groups: list[str], goes_to: str
) -> None:
    a_user("anna", *groups)
    assert way_of(signed_in("anna")) == goes_to


def test_a_viewer_with_more_than_the_group_is_no_mere_viewer(db: None, required: None) -> None:
    user = a_user("anna", "viewer")
    client = signed_in("anna")
    user.user_permissions.add(Permission.objects.get(codename="change_sagarun"))
    assert way_of(client) == SET_UP

    user.user_permissions.clear()
    assert way_of(client) == HOME
    User.objects.update(is_superuser=True)
    assert way_of(client) == SET_UP


def console_addresses() -> list[str]:
    """Every address below the console's, with 1 for each parameter."""
    found: list[str] = []

    def gather(patterns: list[URLPattern | URLResolver], prefix: str) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                gather(pattern.url_patterns, prefix + str(pattern.pattern))
            else:
                found.append(prefix + str(pattern.pattern))

    # The console's own addresses and the admin's.
    admin = [one for one in get_resolver().url_patterns if str(one.pattern) == "admin/"]
    assert len(admin) == 2
    gather(admin, "/")
    return [re.sub("<[^>]+>", "1", address) for address in found if "(" not in address]


def test_nothing_of_the_console_opens_before_it_is_passed(db: None, required: None) -> None:
    a_user("anna", "admin")
    enrolled(a_user("berta", "admin"))
    signing_in = (LOGIN, "/admin/logout/", "/admin/second-factor/", "/admin/single-sign-on/")
    every = [address for address in console_addresses() if not address.startswith(signing_in)]
    assert len(every) > 200
    assert "/admin/jobs/1/run/" in every

    for name, page, addresses in (("anna", SET_UP, every[::20]), ("berta", CODE, every)):
        client = signed_in(name)
        open_ones = [
            address
            for address in addresses
            if not client.post(address, {"x": "y"}).headers.get("Location", "").startswith(f"{page}?next=")
        ]
        assert open_ones == []


def test_nor_where_the_service_stands_below_a_prefix(db: None, required: None) -> None:
    a_user("anna", "admin")
    answer = signed_in("anna").get("/admin/jobs/", SCRIPT_NAME="/cloud")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{SET_UP}?next=")


def test_a_person_sets_it_up_and_signs_in_with_a_code_each_good_once(db: None, required: None) -> None:
    user = a_user("anna", "operator")
    client = signed_in("anna")
    before = client.session.session_key
    key, codes = set_up(client)

    assert len(set(codes)) == 10
    assert way_of(client) == HOME
    assert client.session.session_key != before
    assert messages_of(user) == ["Second factor set up: an app, with recovery codes."]
    assert recovery_codes(client.get(SET_UP).content.decode()) == []

    again = signed_in("anna")
    assert way_of(again) == CODE
    assert way_of(again, SET_UP) == CODE  # or a password would be enough to replace the app
    assert way_of(again, ACCOUNT) == CODE
    assert "was used before" in again.post(CODE, {"code": code_of(key)}).content.decode()
    TOTPDevice.objects.update(throttling_failure_count=0, last_t=0)
    answer = again.post(f"{CODE}?next=/admin/kernel/alert/", {"code": code_of(key)})
    assert answer.headers["Location"] == "/admin/kernel/alert/"
    assert way_of(again) == HOME
    assert way_of(again, CODE) == HOME

    third = signed_in("anna")
    assert third.post(CODE, {"code": codes[3].upper()}).headers["Location"] == ACCOUNT
    assert "9 left" in third.get(ACCOUNT).content.decode()
    assert "was used before" in signed_in("anna").post(CODE, {"code": codes[3]}).content.decode()


def test_a_code_leads_to_no_other_site(db: None) -> None:
    enrolled(a_user("anna", "operator"), "aaaabbbb", "ccccdddd")
    key = str(TOTPDevice.objects.get().key)
    answer = signed_in("anna").post(f"{CODE}?next=https://example.org/", {"code": code_of(key)})
    assert answer.headers["Location"] == HOME


def test_where_it_isnt_required_it_is_possible_and_then_asked_for(db: None) -> None:
    user = a_user("anna", "viewer")
    client = signed_in("anna")
    assert "Set it up" in client.get(ACCOUNT).content.decode()
    set_up(client)
    assert way_of(signed_in("anna")) == CODE

    key = str(TOTPDevice.objects.get().key)
    client.post(ACCOUNT, {"code": code_of(key, steps=1), "action": "remove"})
    assert way_of(signed_in("anna")) == HOME
    assert messages_of(user)[-1] == "Second factor turned off."


def test_who_must_have_it_cannot_turn_it_off(db: None, required: None) -> None:
    a_user("anna", "operator")
    client = signed_in("anna")
    key, _ = set_up(client)
    assert "Turn it off" not in client.get(ACCOUNT).content.decode()
    client.post(ACCOUNT, {"code": code_of(key, steps=1), "action": "remove"})
    assert TOTPDevice.objects.count() == 1


def test_new_recovery_codes_take_a_code_and_void_the_former(db: None, required: None) -> None:
    a_user("anna", "operator")
    client = signed_in("anna")
    key, former = set_up(client)
    refused = client.post(ACCOUNT, {"code": wrong_code(key), "action": "codes"}).content.decode()
    assert recovery_codes(refused) == []

    TOTPDevice.objects.update(throttling_failure_count=0)
    shown = client.post(ACCOUNT, {"code": code_of(key, steps=1), "action": "codes"})
    assert "no-store" in shown.headers["Cache-Control"]
    new = recovery_codes(shown.content.decode())
    assert len(set(new)) == 10
    assert signed_in("anna").post(CODE, {"code": former[0]}).status_code == 200
    StaticDevice.objects.update(throttling_failure_count=0)
    other = signed_in("anna")
    assert other.post(CODE, {"code": new[0]}).status_code == 302
    # A session that came in by a recovery code goes on when the codes are replaced.
    assert (
        len(recovery_codes(other.post(ACCOUNT, {"code": new[1], "action": "codes"}).content.decode())) == 10
    )
    assert way_of(other) == HOME


def test_another_phone_takes_a_code_of_the_present_one_and_ends_its_sessions(db: None) -> None:
    a_user("anna", "operator")
    client, elsewhere = signed_in("anna"), signed_in("anna")
    former, codes = set_up(client)
    assert elsewhere.post(CODE, {"code": codes[0]}).status_code == 302
    phone = signed_in("anna")
    assert phone.post(CODE, {"code": codes[1]}).status_code == 302
    key = shown_key(client.get(SET_UP).content.decode())
    assert key != former
    assert client.post(SET_UP, {"new_code": code_of(key), "code": "zzzzzzzz"}).status_code == 200
    assert TOTPDevice.objects.get().key == former
    StaticDevice.objects.update(throttling_failure_count=0)
    answer = client.post(SET_UP, {"new_code": code_of(key), "code": codes[2]})
    assert len(recovery_codes(answer.content.decode())) == 10
    assert TOTPDevice.objects.get().key == key
    assert way_of(client) == HOME


def test_wrong_codes_are_slowed_down_and_lock_the_login(db: None) -> None:
    key = enrolled(a_user("anna", "operator"))
    client = signed_in("anna")
    assert "right, or was used" in client.post(CODE, {"code": wrong_code(key)}).content.decode()
    # The right one isn't even tried while the pause lasts, and stays good.
    assert (
        "Too fast after a wrong code: wait 1 s" in client.post(CODE, {"code": code_of(key)}).content.decode()
    )

    for _ in range(3):
        TOTPDevice.objects.update(throttling_failure_timestamp=None)
        client = signed_in("anna")  # the right password forgets none of them
        assert client.post(CODE, {"code": wrong_code(key)}).status_code == 200
    TOTPDevice.objects.update(throttling_failure_timestamp=None)
    locked = client.post(CODE, {"code": wrong_code(key)})
    assert locked.status_code == 429
    assert "Too many wrong passwords or codes" in locked.content.decode()
    assert way_of(client, CODE) == LOGIN
    assert wrong_code(key) not in "".join(AccessAttempt.objects.values_list("post_data", flat=True))
    assert Client().post(LOGIN, {"username": "anna", "password": PASSWORD}).status_code == 429


def test_a_session_that_waits_for_its_code_is_locked_with_the_login(db: None) -> None:
    key = enrolled(a_user("anna", "operator"))
    waiting = signed_in("anna")
    for _ in range(5):
        Client().post(LOGIN, {"username": "anna", "password": "wrong"})
    assert waiting.post(CODE, {"code": code_of(key)}).status_code == 429


def test_the_right_code_forgets_the_failures(db: None) -> None:
    key = enrolled(a_user("anna", "operator"))
    for _ in range(4):
        Client().post(LOGIN, {"username": "anna", "password": "wrong"})
    assert signed_in("anna").post(CODE, {"code": code_of(key)}).status_code == 302
    for _ in range(4):
        assert Client().post(LOGIN, {"username": "anna", "password": "wrong"}).status_code == 200


def test_an_admin_resets_anothers_and_not_their_own(db: None) -> None:
    anna, chief = a_user("anna", "operator"), a_user("chief", "admin")
    enrolled(anna)
    enrolled(chief)
    client = Client()
    client.force_login(chief)
    TOTPDevice.objects.filter(user=chief).delete()
    page = client.get(f"/admin/auth/user/{anna.pk}/change/").content.decode()
    assert "Reset the second factor" in page

    found = re.search(r'href="(/admin/auth/user/[^"]*reset[^"]*)"', page)
    assert found is not None
    client.post(found[1], ASKED)
    assert TOTPDevice.objects.filter(user=anna).count() + StaticDevice.objects.filter(user=anna).count() == 0
    assert messages_of(anna) == ["Second factor reset: the app and the recovery codes are void."]
    assert LogEntry.objects.get().user == chief
    client.post(found[1].replace(f"/{anna.pk}/", f"/{chief.pk}/"), ASKED)
    assert StaticDevice.objects.filter(user=chief).count() == 1

    superuser = User.objects.create_superuser("root", password=PASSWORD)
    enrolled(superuser)
    assert client.post(found[1].replace(f"/{anna.pk}/", f"/{superuser.pk}/"), ASKED).status_code == 403
    viewer = Client()
    viewer.force_login(a_user("willi", "operator"))
    assert viewer.post(found[1], ASKED).status_code == 403
    assert TOTPDevice.objects.filter(user=superuser).count() == 1


def test_the_command_resets_where_no_admin_is_left(db: None) -> None:
    user = a_user("anna", "admin")
    enrolled(user)
    call_command("reset_second_factor", "anna")
    assert messages_of(user) == ["Second factor reset by manage.py reset_second_factor."]
    with pytest.raises(CommandError, match="anna has no second factor"):
        call_command("reset_second_factor", "anna")
    with pytest.raises(CommandError, match="no user bea"):
        call_command("reset_second_factor", "bea")


def test_a_password_alone_does_not_enrol_over_an_app(db: None) -> None:
    user = a_user("anna", "operator")
    enrolled(user)
    key = "00" * 20
    with pytest.raises(AlreadyEnrolled):
        enrol(user, key=key, code=code_of(key), may_replace=False)
    with pytest.raises(WrongCode):
        enrol(user, key=key, code=wrong_code(key), may_replace=True)
    assert TOTPDevice.objects.get().key != key


def test_of_two_requests_with_one_code_a_single_one_passes(transactional_db: None) -> None:
    user = a_user("anna", "operator")
    key = enrolled(user, "aaaabbbb")

    def passes(code: str) -> bool:
        try:
            accept_code(user, code)
        except (WrongCode, CodeThrottled):
            return False
        return True

    for code in (code_of(key), "aaaa-bbbb"):
        assert at_once(4, partial(passes, code)).count(True) == 1


def test_its_pages_are_stored_nowhere_load_nothing_from_elsewhere_and_need_their_token(
    db: None, required: None
) -> None:
    enrolled(a_user("anna", "operator"))
    client = Client()
    cookies = client.post(LOGIN, {"username": "anna", "password": PASSWORD}).cookies
    assert (cookies["sessionid"]["httponly"], cookies["sessionid"]["samesite"]) == (True, "Lax")
    a_user("berta", "operator")
    pages = {CODE: client.get(CODE), SET_UP: signed_in("berta").get(SET_UP), LOGIN: Client().get(LOGIN)}
    for address, page in pages.items():
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, address
        assert "form-action 'self'" in policy, address
        assert "no-store" in page.headers["Cache-Control"], address
        assert page.headers["X-Frame-Options"] == "DENY", address
        assert not re.findall(r"""(?:src|href)=["'](?:[a-z]+:)?//""", page.content.decode()), address

    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(CODE, {"code": "000000"}).status_code == 403
    assert Client().get(CODE).headers["Location"].startswith(LOGIN)
    assert client.put(CODE).status_code == 405


def test_a_login_that_is_no_staffs_sees_none_of_it(db: None, required: None) -> None:
    user = User.objects.create_user("tenant", password=PASSWORD)
    client = Client()
    client.force_login(user)
    for address in (ACCOUNT, CODE, SET_UP):
        assert client.get(address).headers["Location"].startswith(LOGIN)


def test_the_api_takes_its_tokens_as_before(db: None, required: None) -> None:
    answer = Client().get("/api/v1/inventory", headers=bearer(token_of("platform_admin")))
    assert answer.status_code == 200
