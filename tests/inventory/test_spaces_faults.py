"""Spaces that refuse, break off or talk nonsense, keys that are missing, and keys that must stay secret."""

from pathlib import Path

import pytest

from arcadia_cloud.kernel.models import Alert
from inventory.models import Resource
from inventory.readiness import sync_age
from inventory.sync import reader
from inventory.values import RunMode
from tests.inventory.bucket_server import (
    SPACES_KEY,
    SPACES_SECRET,
    Answer,
    BucketServer,
    list_of_buckets,
    refusal,
)
from tests.inventory.conftest import SyncNow, synced_buckets
from tests.inventory.test_canaries import everything_kept

pytestmark = pytest.mark.django_db(transaction=True)
XML = '<?xml version="1.0"?>'
XHTML = f'{XML}<html xmlns="http://www.w3.org/1999/xhtml"><body>Be right back</body></html>'

FAULTS = [
    ("/fra1", refusal(403, "AccessDenied", "No."), "GET Spaces fra1 (ListBuckets): 403 AccessDenied: No."),
    ("/fra1", refusal(500, "InternalError", "Oh."), "GET Spaces fra1 (ListBuckets): 500 InternalError: Oh."),
    (
        "/fra1/exports",
        refusal(503, "SlowDown", "Reduce"),
        "fra1/exports (ListObjectsV2): 503 SlowDown",
    ),
    ("/fra1", Answer(0), "GET Spaces fra1 (ListBuckets): the connection failed"),
    ("/fra1", Answer(200, "<html><br></html>", "text/html"), "or an answer that is not XML"),
    ("/fra1", Answer(200, XHTML), "the answer has no Buckets"),
    ("/fra1", Answer(502, "<html><br></html>", "text/html"), "GET Spaces fra1 (ListBuckets): 502"),
    ("/fra1", Answer(200, list_of_buckets("exports")[:-40]), "or an answer that is not XML"),
    ("/fra1", Answer(200, list_of_buckets("x", "x")), "bucket x is in fra1 and in fra1"),
    ("/fra1/exports/dump", refusal(503, "SlowDown", "Reduce"), "fra1/exports (ListParts): 503 SlowDown"),
]
# Of one bucket, and for good: asking again would bring the same.
UNREADABLE_BUCKETS = [
    (
        "/fra1/exports",
        refusal(403, "AccessDenied", ""),
        "403 AccessDenied: no reason was given (request tx-1)",
    ),
    ("/fra1", Answer(200, list_of_buckets("né")), "the call can't be made: ParamValidationError"),
    ("/fra1/exports", Answer(200, XHTML), "the answer has no IsTruncated"),
    (
        "/fra1/exports",
        Answer(200, f"{XML}<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
        "there is more, but no new NextContinuationToken",
    ),
    (
        "/fra1/exports",
        Answer(
            200,
            f"{XML}<ListBucketResult><IsTruncated>true</IsTruncated>"
            "<NextContinuationToken>again</NextContinuationToken></ListBucketResult>",
        ),
        "there is more, but no new NextContinuationToken",
    ),
    (
        "/fra1/exports",
        Answer(
            200,
            f"{XML}<ListBucketResult><IsTruncated>false</IsTruncated>"
            "<Contents><Key>a</Key><Size>much</Size></Contents></ListBucketResult>",
        ),
        "the answer is not the XML that S3 speaks",
    ),
    (
        "/fra1/exports?uploads",
        refusal(403, "AccessDenied", "No."),
        "(ListMultipartUploads): 403 AccessDenied",
    ),
    ("/fra1/exports?uploads", Answer(200, XHTML), "the answer has no IsTruncated"),
    (
        "/fra1/exports?uploads",
        Answer(
            200,
            f"{XML}<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>",
        ),
        "there is more, but no new NextKeyMarker or NextUploadIdMarker",
    ),
    (
        "/fra1/exports?uploads",
        Answer(
            200,
            f"{XML}<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>"
            "<Upload><Key>a</Key></Upload></ListMultipartUploadsResult>",
        ),
        "an open upload has no key or no id",
    ),
]
# Of one object, part or creation: the bucket is measured without it.
FLAWS = [
    ("/fra1", Answer(200, list_of_buckets("exports", created_at="soon")), "bucket exports: Invalid RFC3339"),
    (
        "/fra1/exports",
        Answer(
            200,
            f"{XML}<ListBucketResult><IsTruncated>false</IsTruncated>"
            "<Contents><Key>a</Key></Contents></ListBucketResult>",
        ),
        "an object has no size",
    ),
    (
        "/fra1/exports/dump",
        Answer(
            200,
            f"{XML}<ListPartsResult><IsTruncated>false</IsTruncated>"
            "<Part><PartNumber>1</PartNumber></Part></ListPartsResult>",
        ),
        "a part of an open upload has no size",
    ),
]


@pytest.mark.parametrize(("path", "answer", "words"), FAULTS)
def test_a_fault_in_one_region_fails_the_kind_in_words_and_strikes_nothing(
    sync: SyncNow, server: BucketServer, path: str, answer: Answer, words: str
) -> None:
    server.uploads = {"exports": [("dump", [5, 5])]}
    assert synced_buckets(sync).outcome == "complete"
    del server.buckets["nyc3"]["media"]
    server.instead[path] = answer
    run = synced_buckets(sync)
    assert run.outcome == "failed"
    assert words in run.error
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()
    assert Resource.objects.live().count() == 2


@pytest.mark.parametrize(("path", "answer", "words"), UNREADABLE_BUCKETS)
def test_a_bucket_that_cannot_be_read_keeps_its_size_and_fails_no_other(
    sync: SyncNow, server: BucketServer, path: str, answer: Answer, words: str
) -> None:
    server.uploads = {"exports": [("dump", [5, 5])]}
    synced_buckets(sync)
    known = Resource.objects.get(name="exports").attrs
    server.instead[path] = answer
    server.buckets["nyc3"]["media"] = 4
    run = synced_buckets(sync)
    assert (run.outcome, run.error) == ("complete", "")
    assert Resource.objects.get(name="media").attrs["object_count"] == 4
    row = Resource.objects.filter(name="exports").first()
    assert row is None or (row.attrs, row.deleted_at) == (known, None)
    alert = Alert.objects.get(code="bucket_not_measured", resolved_at=None)
    assert words in alert.message

    server.instead.clear()
    synced_buckets(sync)
    if alert.subject == "bucket:exports":
        assert not Alert.objects.filter(code="bucket_not_measured", resolved_at=None).exists()


@pytest.mark.parametrize("end", ["the bucket is removed", "the keys are taken away"])
def test_the_alert_of_a_bucket_that_nothing_will_measure_again_is_resolved(
    sync: SyncNow, server: BucketServer, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    server.instead["/fra1/exports"] = refusal(403, "AccessDenied", "")
    synced_buckets(sync)
    server.instead["/nyc3"] = refusal(403, "AccessDenied", "")
    assert synced_buckets(sync).outcome == "failed"
    codes = Alert.objects.filter(resolved_at=None).order_by("code").values_list("code", flat=True)
    assert list(codes) == ["bucket_not_measured", "sync_failed"]

    if end == "the bucket is removed":
        del server.buckets["fra1"]["exports"]
        synced_buckets(sync)  # a region is not listed: whether the bucket is gone isn't known
        assert "bucket_not_measured" in list(codes.all())
        server.instead.clear()
    else:
        monkeypatch.delenv("SPACES_KEY")
        monkeypatch.delenv("SPACES_SECRET")
    synced_buckets(sync)
    assert list(codes.all()) == []


@pytest.mark.parametrize(("path", "answer", "words"), FLAWS)
def test_a_flaw_of_one_item_is_logged_and_fails_nothing(
    sync: SyncNow,
    server: BucketServer,
    caplog: pytest.LogCaptureFixture,
    path: str,
    answer: Answer,
    words: str,
) -> None:
    server.uploads = {"exports": [("dump", [5, 5])]}
    server.instead[path] = answer
    run = synced_buckets(sync)
    assert (run.outcome, run.error, run.seen) == ("complete", "", 2)
    assert words in caplog.text
    assert not Alert.objects.filter(code="bucket_not_measured").exists()


@pytest.mark.parametrize(
    ("status", "body"),
    [(302, "<html><head><title>302 Found</title></head></html>"), (301, ""), (307, "<Error></Error>")],
)
@pytest.mark.parametrize("path", ["/fra1", "/fra1/exports", "/fra1/exports?uploads"])
def test_a_redirect_ends_no_run(
    sync: SyncNow, server: BucketServer, status: int, body: str, path: str
) -> None:
    server.instead[path] = Answer(status, body, "text/html")
    runs = sync(RunMode.SLOW, kinds=())
    assert {kind: run.outcome for kind, run in runs.items() if kind != "spaces_bucket"} == {
        "project": "complete", "image": "complete", "droplet_backup": "complete",
    }  # fmt: skip
    assert Resource.objects.filter(kind="spaces_bucket", name="media").exists()
    run = runs["spaces_bucket"]
    words = f"{run.error} {list(Alert.objects.values_list('message', flat=True))}"
    assert f"{status}: redirected elsewhere" in words


@pytest.mark.parametrize("key", ["test\x07.txt", "test&#7;.txt", "&#x1F;", "&#xFFFE;", "\ufffe", "\x0b\x0c"])
def test_a_key_that_xml_cannot_hold_is_counted(sync: SyncNow, server: BucketServer, key: str) -> None:
    server.uploads = {"exports": [("dump", [5, 5])]}
    server.instead["/fra1/exports/dump"] = Answer(
        200,
        f"{XML}<ListPartsResult><Key>{key}</Key><IsTruncated>false</IsTruncated>"
        "<Part><PartNumber>1</PartNumber><Size>77</Size></Part></ListPartsResult>",
    )
    run = synced_buckets(sync)
    assert (run.outcome, run.error) == ("complete", "")
    attrs = Resource.objects.get(name="exports").attrs
    assert (attrs["open_upload_count"], attrs["open_upload_bytes"]) == (1, 77)


def test_a_fault_of_our_own_ends_its_kind_alone(
    sync: SyncNow, server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "endpoint_regions", lambda: 1 / 0)
    runs = sync(RunMode.SLOW, kinds=())
    assert runs["spaces_bucket"].outcome == "failed"
    assert runs["spaces_bucket"].error == "an unexpected ZeroDivisionError; the log has more"
    assert {run.outcome for kind, run in runs.items() if kind != "spaces_bucket"} == {"complete"}


def test_after_a_fault_the_next_good_run_completes(sync: SyncNow, server: BucketServer) -> None:
    server.instead["/fra1"] = refusal(500, "InternalError", "Oh.")
    assert synced_buckets(sync).outcome == "failed"
    server.instead.clear()
    run = synced_buckets(sync)
    assert (run.outcome, run.error, run.seen) == ("complete", "", 2)
    assert Resource.objects.live().count() == 2


def test_without_keys_the_kind_is_skipped_in_words_and_nobody_waits_for_it(
    sync: SyncNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPACES_KEY", raising=False)
    monkeypatch.delenv("SPACES_SECRET", raising=False)
    runs = sync(RunMode.SLOW, kinds=())
    assert runs["spaces_bucket"].outcome == "skipped"
    assert runs["spaces_bucket"].error == "SPACES_KEY and SPACES_SECRET are not set"
    assert {run.outcome for kind, run in runs.items() if kind != "spaces_bucket"} == {"complete"}
    sync(kinds=())
    verdict = sync_age()
    assert "spaces_bucket: never" in verdict.message
    assert verdict.ok


def test_keys_that_were_taken_away_strike_nothing(
    sync: SyncNow, server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced_buckets(sync)
    monkeypatch.delenv("SPACES_KEY")
    monkeypatch.delenv("SPACES_SECRET")
    assert {synced_buckets(sync).outcome for _ in range(3)} == {"skipped"}
    assert not Resource.objects.filter(stale_strike_count__gt=0).exists()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"SPACES_KEY": ""}, "SPACES_SECRET is set, but SPACES_KEY is not"),
        ({"SPACES_SECRET": ""}, "SPACES_KEY is set, but SPACES_SECRET is not"),
        ({"SPACES_SECRET": "two words"}, "SPACES_SECRET is empty or holds characters"),
        ({"SPACES_KEY": "", "SPACES_KEY_FILE": "/nowhere"}, "SPACES_KEY_FILE names /nowhere, which can't be"),
    ],
)
def test_half_a_key_fails_the_kind_and_names_the_variable(
    sync: SyncNow,
    server: BucketServer,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    words: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    run = synced_buckets(sync)
    assert run.outcome == "failed"
    assert words in run.error
    assert server.asked == []


def test_keys_in_files_are_read_at_each_use(
    sync: SyncNow, server: BucketServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("SPACES_KEY", "SPACES_SECRET"):
        monkeypatch.delenv(name)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    (tmp_path / "SPACES_SECRET").write_text("secret\n")
    for key in ("DO00FIRST", "DO00SECOND"):
        (tmp_path / "SPACES_KEY").write_text(f"{key}\n")
        assert synced_buckets(sync).outcome == "complete"
        assert f"Credential={key}/" in server.authorization


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_server_that_repeats_our_keys_has_them_told_to_nobody(
    sync: SyncNow,
    server: BucketServer,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    caplog.set_level("DEBUG")
    server.instead["/nyc3"] = refusal(status, "Mismatch", f"not {SPACES_KEY} with {SPACES_SECRET}")
    run = synced_buckets(sync)
    assert run.outcome == "failed"
    assert "Mismatch: not [redacted] with [redacted]" in run.error
    server.instead["/nyc3"] = Answer(200, f"{SPACES_KEY} {SPACES_SECRET}")
    assert synced_buckets(sync).outcome == "failed"
    server.instead.clear()
    assert synced_buckets(sync).outcome == "complete"
    out, err = capfd.readouterr()
    for place in (everything_kept(), out, err, caplog.text):
        assert SPACES_KEY not in place
        assert SPACES_SECRET not in place
    assert SPACES_KEY in server.authorization
