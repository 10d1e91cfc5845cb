"""HTTP servers of the tests' own, for the length of a block."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class QuickHandler(BaseHTTPRequestHandler):
    """Answers without delay, and logs nothing."""

    # Head and body are sent one by one: the body would wait 40 ms for the client's receipt of the head.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        pass


@contextmanager
def serve_in_thread(server: ThreadingHTTPServer) -> Iterator[str]:
    """Serve for the block; yields the base URL."""
    # By the library's own interval, each end would take half a second.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def serve_handler(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve by this handler for the block; yields the base URL."""
    with serve_in_thread(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as url:
        yield url
