"""No token, and nothing secret that an answer carries, gets out of the package."""

import logging
import pickle
import traceback
from typing import Any

import pytest
import structlog

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.credentials import api_token
from arcadia_cloud.digitalocean.errors import (
    BudgetExhausted,
    MissingToken,
    ProviderError,
    ProviderMalformed,
    ProviderRejected,
    ProviderUnavailable,
)
from arcadia_cloud.digitalocean.redaction import SecretStr, redact
from tests.digitalocean.conftest import TOKEN, Connect
from tests.digitalocean.provider import Reply, Seen, droplet, one_after_another, page_of

CANARY = "canary-7c1f"
ODD_TOKEN = "vault.issued-token/with+no~prefix=="


def _all_text_of(error: BaseException) -> str:
    """The error as text, pickled, and as a tracker sees it: with our frames' locals, causes included."""
    told = [str(error), repr(error), repr(vars(error)), repr(pickle.dumps(error))]
    chained: BaseException | None = error
    while chained is not None:
        told += [str(chained), _locals_of(chained)]
        chained = chained.__cause__ or chained.__context__
    return "\n".join(told)


def _locals_of(error: BaseException) -> str:
    """The locals of every frame but the test's own, which holds the secret to compare with."""
    frames = [frame for frame, _line in traceback.walk_tb(error.__traceback__)]
    ours = [frame for frame in frames if frame.f_code.co_filename != __file__]
    assert ours
    return "\n".join(
        f"{name}={value!r} {getattr(value, '__dict__', '')!r}"
        for frame in ours
        for name, value in frame.f_locals.items()
    )


def _echo(seen: Seen) -> Reply:
    sent = seen.headers["authorization"]
    return Reply(
        422, {"id": sent, "message": f"bad token {sent}", "request_id": sent.removeprefix("Bearer ")}
    )


def _echo_html(seen: Seen) -> Reply:
    return Reply(500, f"<html>{seen.headers['authorization']}</html>".encode())


@pytest.mark.parametrize("token", [TOKEN, ODD_TOKEN])
@pytest.mark.parametrize(
    "script",
    [_echo, _echo_html, lambda _seen: Reply(drop=True), lambda _seen: Reply(body={}, cut=1),
     lambda _seen: Reply(delay=0.5), lambda _seen: Reply(302, b"", {"location": f"http://x/?t={TOKEN}"})],
    ids=["echo", "echo in HTML", "dropped", "cut", "too late", "redirect"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_is_in_no_error_traceback_or_log_line(
    connect: Connect, quick: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    token: str, script: Any, method: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("DO_API_TOKEN", token)
    caplog.set_level(logging.DEBUG)
    client, server = connect(script, timeout=0.2)
    with structlog.testing.capture_logs() as lines, pytest.raises(ProviderError) as caught:
        client.account() if method == "GET" else client.create_project(name="a", purpose="b")
    assert server.seen[0].headers["authorization"] == f"Bearer {token}"
    assert caught.value.__context__ is None
    assert token not in _all_text_of(caught.value) + repr(lines) + caplog.text


def test_a_client_and_its_parts_do_not_show_the_token(connect: Connect) -> None:
    client, _ = connect(one_after_another(Reply(body=page_of("tags", []))))
    list(client.tags())
    shown = repr(vars(client)) + repr(vars(client._transport)) + repr(vars(client._transport._session))
    assert TOKEN not in shown


def test_an_interruption_in_the_middle_of_a_call_shows_no_token(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Celery's time limit, or Ctrl-C: the frames of the HTTP library are in that traceback."""

    def interrupt(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    client, _ = connect(lambda _seen: Reply())
    monkeypatch.setattr("urllib3.connection.HTTPConnection.getresponse", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        client.account()
    assert TOKEN not in _all_text_of(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"see {TOKEN}.", "see [redacted]."),
        ("doo_v1_abc dor_v1_def", "[redacted] [redacted]"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer [redacted]"),
        ("my-own-secret!", "[redacted]!"),
        ("my-own\0-secret no\0such row", "[redacted] nosuch row"),
        ("nothing", "nothing"),
    ],
)
def test_what_looks_like_a_token_is_cut_out(text: str, shown: str) -> None:
    assert redact(text, "my-own-secret", "") == shown


def test_a_token_on_the_edge_of_a_long_text_is_cut_out_too() -> None:
    for position in range(480, 501):
        assert "dop_v1" not in redact("x" * position + " " + TOKEN)


def test_every_error_redacts_what_it_is_made_of() -> None:
    error = ProviderRejected(f"m {TOKEN}", error_id=TOKEN, request_id=TOKEN, call=f"GET /{TOKEN}")
    assert TOKEN not in str(error) + repr(vars(error)) + repr(pickle.dumps(error))


@pytest.mark.parametrize("kind", [ProviderUnavailable, ProviderRejected, ProviderMalformed, MissingToken])
def test_an_error_survives_being_pickled(kind: type[ProviderError]) -> None:
    error = pickle.loads(pickle.dumps(kind("m", status=500, error_id="e", request_id="r", call="GET /x")))  # noqa: S301
    assert (type(error), str(error)) == (kind, "GET /x: 500 e: m (request r)")


def test_a_spent_budget_survives_being_pickled() -> None:
    from_ = BudgetExhausted("m", frees_at=None)  # type: ignore[arg-type]
    assert str(pickle.loads(pickle.dumps(from_))) == "m"  # noqa: S301


def test_secrets_in_an_answer_enter_no_record(connect: Connect) -> None:
    spoiled = _with_canaries(droplet(1))
    client, _ = connect(lambda _seen: Reply(body={**page_of("droplets", [spoiled]), "secret": CANARY}))
    (record,) = client.droplets()
    assert record.id == 1
    assert CANARY not in repr(record)


def test_secrets_in_a_broken_answer_enter_no_error(connect: Connect) -> None:
    for field in ("status", "memory", "region", "created_at", "size", "tags"):
        spoiled = {**_with_canaries(droplet(1)), field: {"password": CANARY}}
        client, _ = connect(lambda _seen, item=spoiled: Reply(body=page_of("droplets", [item])))
        with pytest.raises(ProviderMalformed, match="droplets 1") as caught:
            list(client.droplets())
        assert CANARY not in _all_text_of(caught.value)
    client, _ = connect(lambda _seen: Reply(body=f'{{"droplets": "{CANARY}'.encode()))
    with pytest.raises(ProviderMalformed) as caught:
        list(client.droplets())
    assert CANARY not in _all_text_of(caught.value)


def _with_canaries(value: Any) -> Any:
    """The value with a secret beside every field, at every depth."""
    if isinstance(value, dict):
        planted = {"password": CANARY, "user_data": CANARY, "connection": {"uri": CANARY}, CANARY: CANARY}
        return {name: _with_canaries(inner) for name, inner in value.items()} | planted
    return [_with_canaries(inner) for inner in value] if isinstance(value, list) else value


def test_the_purposes_own_token_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    assert api_token("SYNC") == TOKEN
    monkeypatch.setenv("DO_API_TOKEN_SYNC", "sync-token")
    assert (api_token("sync"), api_token("BILLING")) == ("sync-token", TOKEN)
    secret = tmp_path / "token"
    secret.write_text("mounted\n")
    monkeypatch.setenv("DO_API_TOKEN_BILLING_FILE", str(secret))
    assert api_token("BILLING") == "mounted"


def test_a_rotated_token_is_used_by_the_next_call(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    secret = tmp_path / "token"
    secret.write_text("first")
    monkeypatch.setenv("DO_API_TOKEN_SYNC_FILE", str(secret))
    client, server = connect(lambda _seen: Reply(body=page_of("tags", [])))
    list(client.tags())
    secret.write_text("second")
    list(client.tags())
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("value", ["a b", "tok\nen", "tökén", "a\r\nX-Evil: 1", '"quoted"'])
def test_a_token_that_is_none_is_named_by_its_variable_alone(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DO_API_TOKEN", value)
    client, server = connect(lambda _seen: Reply())
    with pytest.raises(MissingToken, match="DO_API_TOKEN ") as caught:
        client.account()
    assert value not in _all_text_of(caught.value)
    assert server.seen == []


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.delenv("DO_API_TOKEN")
    with pytest.raises(MissingToken, match="neither DO_API_TOKEN_SYNC nor DO_API_TOKEN is set"):
        api_token("SYNC")
    for content, words in (
        (None, "can't be read: No such file"),
        (b"", "is empty"),
        (b"\xff\xfe", "not plain text"),
    ):
        path = tmp_path / f"token-{words[:4]}"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setenv("DO_API_TOKEN_FILE", str(path))
        with pytest.raises(MissingToken, match=words):
            api_token("SYNC")


def test_a_hidden_text_is_itself_in_all_but_its_repr() -> None:
    assert SecretStr("x") == "x"
    assert f"{SecretStr('x')}" == "x"
    assert repr({"authorization": SecretStr("secret")}) == "{'authorization': '[redacted]'}"


def test_the_mail_address_of_the_account_is_left_out(connect: Connect) -> None:
    account = {"uuid": "u", "email": CANARY, "name": CANARY, "droplet_limit": 1, "status": "active",
               "team": {"uuid": "t", "name": "Team"}}  # fmt: skip
    client, _ = connect(lambda _seen: Reply(body={"account": account}))
    record = client.account()
    assert (record.team_uuid, record.team_name) == ("t", "Team")
    assert CANARY not in repr(record)
    assert isinstance(client, DigitalOcean)
