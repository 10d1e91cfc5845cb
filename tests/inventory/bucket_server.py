"""A tiny S3 on loopback that answers as a test wants, and counts out buckets of any size."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote_plus, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.http_servers import QuickHandler, serve_handler

OBJECT_BYTES = 1_000_000
SPACES_KEY, SPACES_SECRET = "DO00CANARY0KEY0000", "canary/secret+5d1f0e7a"
_XML = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is sent instead; `status` 0 closes the connection without a word."""

    status: int
    body: str = ""
    content_type: str = "application/xml"


@dataclass(slots=True)
class BucketServer:
    """`buckets`: region to name to how many objects.

    `uploads`: by bucket, the key and the parts' sizes of each that is open.
    `instead`: by path, such as `/nyc3/media` or `/nyc3`; `/nyc3/media?uploads` for the list of those, and
    `/nyc3/media/key` for the parts of one.
    """

    url: str
    buckets: dict[str, dict[str, int]] = field(default_factory=dict)
    uploads: dict[str, list[tuple[str, list[int]]]] = field(default_factory=dict)
    instead: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # method and path, in order
    authorization: str = ""  # the last request's

    def answer(self, method: str, address: str) -> Answer:
        parts = urlsplit(address)
        query = parse_qs(parts.query, keep_blank_values=True)
        asked = f"{parts.path}?uploads" if "uploads" in query else parts.path
        self.asked.append(f"{method} {asked}")
        if asked in self.instead:
            return self.instead[asked]
        region, _, path = parts.path[1:].partition("/")
        name, _, key = path.partition("/")
        held = self.buckets.get(region, {})
        if not name:
            return Answer(200, list_of_buckets(*held))
        if name not in held:
            return refusal(404, "NoSuchBucket", "The specified bucket does not exist")
        if method == "HEAD":
            return Answer(200)
        return Answer(200, self._listed(held[name], self.uploads.get(name, []), unquote(key), query))

    def _listed(
        self, objects: int, uploads: list[tuple[str, list[int]]], key: str, query: Mapping[str, list[str]]
    ) -> str:
        if "uploads" in query:
            return _open_uploads(uploads, query)
        if "uploadId" in query:
            return _parts(dict(uploads)[key], query)
        start = int(query.get("continuation-token", ["0"])[0])
        return _objects(objects, start, int(query["max-keys"][0]))


def list_of_buckets(*names: str, created_at: str = "2026-01-02T03:04:05.000Z") -> str:
    buckets = "".join(
        f"<Bucket><Name>{name}</Name><CreationDate>{created_at}</CreationDate></Bucket>" for name in names
    )
    return f"{_XML}<ListAllMyBucketsResult><Buckets>{buckets}</Buckets></ListAllMyBucketsResult>"


def refusal(status: int, code: str, message: str) -> Answer:
    """Make an error as S3 sends it."""
    body = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    return Answer(status, f"{_XML}<Error>{body}</Error>")


def _objects(count: int, start: int, most: int) -> str:
    end = min(count, start + most)
    contents = "".join(
        f"<Contents><Key>objects/{number:09}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
        f"<ETag>&quot;{number:032x}&quot;</ETag><Size>{OBJECT_BYTES}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for number in range(start, end)
    )
    more = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < count else ""
    truncated = "true" if more else "false"
    head = f"<IsTruncated>{truncated}</IsTruncated>{more}"
    return f"{_XML}<ListBucketResult>{head}{contents}</ListBucketResult>"


def _open_uploads(uploads: list[tuple[str, list[int]]], query: Mapping[str, list[str]]) -> str:
    """Their keys come as they would stand in an address, as they were asked for."""
    (start,) = query.get("upload-id-marker", ["0"])
    end = int(start) + int(query["max-uploads"][0])
    assert query["encoding-type"] == ["url"]
    assert int(start) == 0 or query["key-marker"] == [uploads[int(start) - 1][0]]
    found = "".join(
        f"<Upload><Key>{quote_plus(key)}</Key><UploadId>{number}</UploadId></Upload>"
        for number, (key, _) in enumerate(uploads)
        if int(start) <= number < end
    )
    next_key = quote_plus(uploads[end - 1][0]) if end < len(uploads) else ""
    more = f"<NextKeyMarker>{next_key}</NextKeyMarker><NextUploadIdMarker>{end}</NextUploadIdMarker>"
    head = (
        f"<EncodingType>url</EncodingType><IsTruncated>{str(end < len(uploads)).lower()}</IsTruncated>{more}"
    )
    return f"{_XML}<ListMultipartUploadsResult>{head}{found}</ListMultipartUploadsResult>"


def _parts(sizes: list[int], query: Mapping[str, list[str]]) -> str:
    """Name the next page at the end, too, as some servers do."""
    start = int(query.get("part-number-marker", ["0"])[0])
    end = min(len(sizes), start + int(query["max-parts"][0]))
    found = "".join(
        f"<Part><PartNumber>{number + 1}</PartNumber><Size>{sizes[number]}</Size></Part>"
        for number in range(start, end)
    )
    more = f"<NextPartNumberMarker>{end}</NextPartNumberMarker>"
    head = f"<IsTruncated>{str(end < len(sizes)).lower()}</IsTruncated>{more}"
    return f"{_XML}<ListPartsResult>{head}{found}</ListPartsResult>"


@contextmanager
def bucket_server() -> Iterator[BucketServer]:
    """Have one up for the block; its `url` is what SPACES_ENDPOINT_URL should be."""

    class Handler(QuickHandler):
        protocol_version = "HTTP/1.1"

        def _respond(self) -> None:
            served.authorization = self.headers.get("authorization", "")
            answer = served.answer(self.command, self.path)
            if not answer.status:
                self.close_connection = True
                return
            body = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("content-type", answer.content_type)
            self.send_header("x-amz-request-id", "tx-1")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = _respond

    with serve_handler(Handler) as url:
        served = BucketServer(f"{url}/{{region}}")
        yield served
