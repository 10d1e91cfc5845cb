"""Spaces for laptops and tests: moto's S3, with buckets of its own in each region.

`python -m simulator.spaces` serves it, by default with the default fleet's buckets. The region is the first
part of the path (`http://127.0.0.1:PORT/nyc3`). Objects have their sizes, but no bytes.
"""

import argparse
import sys
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import Any, Final

from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import S3Backend, s3_backends
from waitress.server import create_server

from simulator.account import NEWEST_CREATED_ON
from simulator.default_fleet.buckets import BUCKETS, Bucket, make_synthetic_bucket
from simulator.fleets import FLEETS
from simulator.server import run_until_signal

_PARTITION: Final = "aws"
_NO_ETAG: Final = "0" * 32
Respond = Callable[..., Any]


def region_backend(region: str) -> S3Backend:
    """Return moto's state for a region, an AWS account of its own, since moto's S3 has no regions."""
    backend: S3Backend = s3_backends[_account_id(region)][_PARTITION]
    return backend


def _account_id(region: str) -> str:
    # As AWS's: twelve digits, and the same at every start.
    return f"{zlib.crc32(region.encode()):012}"


def fill(bucket: Bucket, *, newest_at: datetime) -> None:
    """Create the bucket and its objects."""
    backend = region_backend(bucket.region)
    # The region that S3 buckets have by default; that of Spaces is in the path.
    created = backend.create_bucket(bucket.name, "us-east-1")
    created.creation_date = newest_at - timedelta(days=bucket.age_days)
    for number in range(bucket.objects):
        # Empty, its size set afterwards: half a terabyte of objects takes no memory.
        key = backend.put_object(bucket.name, f"objects/{number:08}", b"", etag=_NO_ETAG)
        key.contentsize = bucket.object_bytes


def fill_fleet(*, fleet: str = "default", more: int = 0) -> None:
    """Create the buckets of the fleet, of which only the default one has any, and so many synthetic ones.

    They are the same at every start.
    """
    newest_at = datetime.combine(NEWEST_CREATED_ON, time_of_day(), UTC)
    for bucket in (*(BUCKETS if fleet == "default" else ()), *map(make_synthetic_bucket, range(more))):
        fill(bucket, newest_at=newest_at)


def clear() -> None:
    """Delete the buckets of all regions."""
    s3_backends.reset()


class RegionRouter:
    """A WSGI application that passes each request to its region's S3."""

    def __init__(self) -> None:
        self._s3 = create_backend_app("s3")

    def __call__(self, environ: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        region, _, path = environ["PATH_INFO"].lstrip("/").partition("/")
        # moto would take the bucket from these, in which the region still comes first.
        for name in ("RAW_URI", "REQUEST_URI"):
            environ.pop(name, None)
        environ |= {"PATH_INFO": f"/{path}", "HTTP_X_MOTO_ACCOUNT_ID": _account_id(region)}
        response: Iterable[bytes] = self._s3(environ, respond)
        return response


@contextmanager
def serve() -> Iterator[str]:
    """Serve Spaces in a thread for the block, without buckets; yields the value for SPACES_ENDPOINT_URL."""
    clear()
    server = create_server(RegionRouter(), host="127.0.0.1", port=0, threads=4, ident="simulator")
    thread = threading.Thread(target=server.run, name="spaces", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}/{{region}}"
    finally:
        server.close()
        thread.join(10)
        clear()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator.spaces", description="Spaces on loopback.")
    parser.add_argument("--port", type=int, default=8026, help="0 takes a free one")
    parser.add_argument("--fleet", choices=sorted(FLEETS), default="default", help="only default has buckets")
    parser.add_argument("--buckets", type=int, default=0, metavar="N", help="add so many, of three objects")
    arguments, _ = parser.parse_known_args()  # both commands get the options of `python -m simulator`
    try:
        server = create_server(RegionRouter(), host="127.0.0.1", port=arguments.port, ident="simulator")
    except OSError as error:
        sys.exit(f"spaces: {error}")
    fill_fleet(fleet=arguments.fleet, more=arguments.buckets)
    run_until_signal(server, "spaces")


if __name__ == "__main__":
    main()
