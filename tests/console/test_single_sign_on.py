"""Single sign-on against a provider over HTTP: who gets in, with which groups, and what is refused."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django.fixtures import Settings

from arcadia_cloud.console.sign_in_settings import read_single_sign_on, sign_in_settings
from arcadia_cloud.environment import Environment
from arcadia_cloud.main_job.seeds.groups import seed_groups
from tests.console.authenticators import CODE, SET_UP, enrolled
from tests.console.identity_provider import CLIENT, FOREIGN_KEY, KEY, SECRET, Provider, serve_provider

BEGIN, CALLBACK, LOGIN = "/admin/single-sign-on/", "/admin/single-sign-on/callback/", "/admin/login/"
NOT_ACCEPTED = "answer was not accepted"
NOT_BEGUN = "begun in this browser"


@pytest.fixture(scope="module")
def running_provider() -> Iterator[Provider]:
    with serve_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: Provider, settings: Settings, db: None) -> Provider:
    """A provider as it starts, which the console signs in with."""
    seed_groups()
    running_provider.__dict__.update(Provider(url=running_provider.url).__dict__)
    use_provider(settings, running_provider)
    return running_provider


def environment_of(provider: Provider, **changed: str) -> dict[str, str]:
    return {
        "ARCADIA_OIDC_ISSUER": provider.url,
        "ARCADIA_OIDC_CLIENT_ID": CLIENT,
        "ARCADIA_OIDC_CLIENT_SECRET": SECRET,
        "ARCADIA_OIDC_AUTHORIZATION_URL": f"{provider.url}/authorize",
        "ARCADIA_OIDC_TOKEN_URL": f"{provider.url}/token",
        "ARCADIA_OIDC_JWKS_URL": f"{provider.url}/keys",
        "ARCADIA_OIDC_GROUPS": "cloud-ops=operator,cloud-ops=billing, /cloud/readers=viewer,lost=no-such",
        **changed,
    }


def use_provider(settings: Settings, provider: Provider, **changed: str) -> None:
    """Set the console up by the variables that production has."""
    env = Environment(environment_of(provider, **changed))
    single_sign_on = read_single_sign_on(env, production=False)
    assert env.problems == []
    settings.ARCADIA_SINGLE_SIGN_ON = single_sign_on
    for name, value in sign_in_settings(single_sign_on).items():
        setattr(settings, name, value)


def begin(client: Client, asked: str = BEGIN) -> str:
    """The address that the browser comes back to, after the provider."""
    sent = client.get(asked).headers["Location"]
    back = requests.get(sent, allow_redirects=False, timeout=10).headers["Location"]
    assert back.startswith(f"http://testserver{CALLBACK}?")
    return back.removeprefix("http://testserver")


def sign_in(client: Client) -> Any:
    return client.get(begin(client))


def refusal_of(client: Client, answer: Any) -> str:
    """The words on the login page, where the session is anonymous still."""
    assert (answer.status_code, answer.headers["Location"]) == (302, LOGIN)
    assert "_auth_user_id" not in client.session
    return client.get(LOGIN).content.decode()


def test_a_person_is_made_at_the_first_sign_in_with_exactly_the_mapped_groups(
    provider: Provider, client: Client
) -> None:
    assert (
        f'href="{BEGIN}?next=/admin/kernel/alert/"'
        in client.get(f"{LOGIN}?next=/admin/kernel/alert/").content.decode()
    )
    back = begin(client, f"{BEGIN}?next=/admin/kernel/alert/")
    assert client.get(back).headers["Location"] == "/admin/kernel/alert/"

    anna = User.objects.get()
    assert (anna.username, anna.email, anna.is_staff, anna.is_superuser) == (
        "anna@example.org", "Anna@Example.org", True, False,
    )  # fmt: skip
    assert not anna.has_usable_password()
    assert set(anna.groups.values_list("name", flat=True)) == {"operator", "billing"}
    assert client.get("/admin/kernel/alert/").status_code == 200

    anna.groups.add(Group.objects.get(name="admin"))
    provider.claims = {"groups": "/cloud/readers"}
    sign_in(Client())
    assert list(anna.groups.values_list("name", flat=True)) == ["viewer"]
    assert [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")] == [
        "Groups by single sign-on: none → billing, operator.",
        "Groups by single sign-on: admin, billing, operator → viewer.",
    ]


@pytest.mark.parametrize("groups", [[], ["strangers", 7, None], ["lost"], {"cloud-ops": 1}, None])
def test_without_a_group_of_the_console_nobody_gets_in(
    provider: Provider, client: Client, groups: Any
) -> None:
    provider.claims = {"groups": groups}
    assert "none of the company" in refusal_of(client, sign_in(client))
    assert User.objects.count() == 0


def test_who_has_lost_their_groups_loses_them_here_too(provider: Provider, client: Client) -> None:
    sign_in(client)
    provider.claims = {"groups": []}
    other = Client()
    assert "none of the company" in refusal_of(other, sign_in(other))
    assert User.objects.get().groups.count() == 0
    assert client.get("/admin/kernel/alert/").status_code == 403


WRONG_TOKENS: dict[str, dict[str, Any]] = {
    "expired": {"claims": {"exp": int(time.time()) - 60}},
    "without an end": {"claims": {"exp": None}},
    "of another issuer": {"claims": {"iss": "https://elsewhere.example.org"}},
    "without an issuer": {"claims": {"iss": None}},
    "for another client": {"claims": {"aud": "wiki"}},
    "for nobody": {"claims": {"aud": None}},
    "for another client, which shares it": {"claims": {"aud": ["wiki", CLIENT], "azp": "wiki"}},
    "from the future": {"claims": {"iat": int(time.time()) + 3600}},
    "without a subject": {"claims": {"sub": None}},
    "for another nonce": {"claims": {"nonce": "another"}},
    "without a nonce": {"claims": {"nonce": None}},
    "signed by a stranger": {"key": FOREIGN_KEY},
    "with a key that isn't the provider's": {"header": {"kid": "2"}},
    "without a key": {"header": {"kid": None}},
    "signed with our secret": {"key": SECRET, "algorithm": "HS256"},
    "unsigned": {"key": None, "algorithm": "none"},
    "not granted": {"token_status": 500},
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("wrong", WRONG_TOKENS)
def test_a_token_that_is_not_the_providers_for_us_and_in_force_opens_nothing(
    provider: Provider, client: Client, wrong: str
) -> None:
    provider.__dict__.update(WRONG_TOKENS[wrong])
    assert NOT_ACCEPTED in refusal_of(client, sign_in(client))
    assert User.objects.count() == 0
    assert AccessAttempt.objects.count() == 0  # or five of an office would lock the others out


def test_a_token_of_our_audience_among_others_and_within_the_clocks_leeway_is_taken(
    provider: Provider, client: Client
) -> None:
    provider.claims = {"aud": [CLIENT, "wiki"], "azp": CLIENT, "exp": int(time.time()) - 10}
    assert sign_in(client).headers["Location"] == "/admin/"


def test_a_code_counts_in_the_browser_that_asked_and_once(provider: Provider, client: Client) -> None:
    back = begin(client)
    other = Client()
    assert NOT_BEGUN in refusal_of(other, other.get(back))  # another's session has not asked at all
    begin(other)
    assert NOT_BEGUN in refusal_of(other, other.get(back))  # it has asked, with another state
    wrong_state = back.replace("state=", "state=x")
    assert NOT_BEGUN in refusal_of(client, client.get(wrong_state))
    assert client.get(back).headers["Location"] == "/admin/"
    assert client.get(back).headers["Location"] == LOGIN  # its state is used up
    assert provider.refusals == []


def test_a_code_in_the_address_of_the_login_form_is_no_login(provider: Provider, client: Client) -> None:
    sent = client.get(BEGIN).headers["Location"]
    stolen = parse_qs(
        urlsplit(requests.get(sent, allow_redirects=False, timeout=10).headers["Location"]).query
    )
    provider.claims = {"nonce": None}
    answer = Client().post(
        f"{LOGIN}?code={stolen['code'][0]}&state={stolen['state'][0]}", {"username": "x", "password": "y"}
    )
    assert answer.status_code == 200
    assert User.objects.count() == 0
    assert len(provider.granted) == 1  # the provider was never asked


def test_a_stranger_s_link_with_an_error_logs_nobody_out(provider: Provider, client: Client) -> None:
    sign_in(client)
    assert client.get(f"{CALLBACK}?error=access_denied&state=x").status_code == 302
    assert client.get("/admin/").status_code == 200


def test_the_provider_opens_no_login_that_has_a_password_and_no_superusers(
    provider: Provider, client: Client
) -> None:
    local = User.objects.create_user("anna@example.org", password="of-her-own-1", is_staff=True)
    assert "has a login with a password here" in refusal_of(client, sign_in(client))
    local.set_unusable_password()
    local.is_superuser = True
    local.save()
    assert "has a login with a password here" in refusal_of(client, sign_in(client))
    User.objects.update(is_superuser=False)
    assert sign_in(client).headers["Location"] == "/admin/"

    User.objects.update(is_active=False)
    assert client.get("/admin/").status_code == 302  # a session that is open ends at once
    other = Client()
    assert "switched off here" in refusal_of(other, sign_in(other))


@pytest.mark.parametrize(
    "claims",
    [
        {"email": None},
        {"email": ""},
        {"email": 7},
        {"email": "x" * 151},
        {"email": "a\0b"},
        {"email_verified": False},
    ],
)
def test_a_name_that_is_none_opens_nothing(
    provider: Provider, client: Client, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    words = refusal_of(client, sign_in(client))
    assert "could be a user" in words or "verified your e-mail" in words or NOT_ACCEPTED in words
    assert User.objects.count() == 0


def test_another_claim_names_the_users(provider: Provider, client: Client, settings: Settings) -> None:
    use_provider(settings, provider, ARCADIA_OIDC_USERNAME_CLAIM="sub", ARCADIA_OIDC_GROUPS_CLAIM="roles")
    provider.claims = {"roles": ["cloud-ops"], "groups": None, "email": None}
    sign_in(client)
    assert User.objects.get().username == "person-1"


def test_it_counts_as_second_factor_only_where_the_setting_says_so(
    provider: Provider, settings: Settings
) -> None:
    settings.ARCADIA_SECOND_FACTOR_REQUIRED = True
    client = Client()
    sign_in(client)
    assert client.get("/admin/").headers["Location"].startswith(f"{SET_UP}?")
    enrolled(User.objects.get())
    assert client.get("/admin/").headers["Location"].startswith(f"{CODE}?")

    use_provider(settings, provider, ARCADIA_OIDC_ENFORCES_SECOND_FACTOR="true")
    assert client.get("/admin/").status_code == 200
    # By a password it is asked for all the same.
    user = User.objects.create_user("berta", is_staff=True)
    by_password = Client()
    by_password.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert by_password.get("/admin/").headers["Location"].startswith(f"{SET_UP}?")


def test_without_a_provider_there_is_no_such_address(client: Client, db: None) -> None:
    assert client.get(BEGIN).status_code == 404
    assert client.get(f"{CALLBACK}?code=x&state=y").status_code == 404
    assert b"single-sign-on" not in client.get(LOGIN).content


def test_a_provider_that_is_away_is_told_on_the_login_page(
    provider: Provider, client: Client, settings: Settings
) -> None:
    back = begin(client)
    settings.OIDC_OP_TOKEN_ENDPOINT = "http://127.0.0.1:1/token"
    assert NOT_ACCEPTED in refusal_of(client, client.get(back))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"TOKEN_URL": ""}, "is not set, but other variables ARCADIA_OIDC_… are"),
        ({"JWKS_URL": "http://id.example.org/keys"}, "must be https://host[:port][/path]"),
        ({"GROUPS": "cloud-ops"}, "has 'cloud-ops'; each item must be PROVIDERS_GROUP=CONSOLES_GROUP"),
        (
            {"ALGORITHM": "none"},
            "is 'none'; it must be one of RS256, RS384, RS512, ES256, ES384, ES512",
        ),
    ],
)
def test_half_a_provider_is_named_at_the_start(changed: dict[str, str], problem: str) -> None:
    ((name, value),) = changed.items()
    values = environment_of(Provider(url="https://id.example.org"), **{f"ARCADIA_OIDC_{name}": value})
    env = Environment(values)
    read_single_sign_on(env, production=True)
    assert env.problems == [f"ARCADIA_OIDC_{name} {problem}"]

    alone = Environment({"ARCADIA_OIDC_NAME": "Okta"})
    read_single_sign_on(alone, production=True)
    assert len(alone.problems) == 7


def test_the_providers_key_is_no_test_of_itself(provider: Provider) -> None:
    """The tokens above are refused for their one fault: without it they are the provider's own."""
    token = provider.id_token("n")
    assert jwt.decode(token, KEY.public_key(), algorithms=["RS256"], audience=CLIENT)["nonce"] == "n"
