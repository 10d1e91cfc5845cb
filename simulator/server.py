"""Serving the simulator: for good, or for the length of a block."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from waitress.server import TcpWSGIServer, create_server

from simulator.app import create_app
from simulator.connection import DroppableChannel
from simulator.world import World

_THREADS = 16
_CLOSE_SECONDS = 10


def make_server(app: Flask, *, host: str = "127.0.0.1", port: int = 0) -> TcpWSGIServer:
    """A waitress server that is bound and not yet running; port 0 takes a free one."""
    server = create_server(
        app,
        host=host,
        port=port,
        threads=_THREADS,
        ident="simulator",
        channel_timeout=60,
        outbuf_overflow=16 * 1024 * 1024,
        clear_untrusted_proxy_headers=True,
    )
    server.channel_class = DroppableChannel
    return server


@contextmanager
def serve(
    world: World | None = None, *, host: str = "127.0.0.1", port: int = 0, **options: Any
) -> Iterator[str]:
    """Run a simulator in a thread and yield its base URL; `options` make its world, if none is given."""
    server = make_server(create_app(world or World(**options)), host=host, port=port)
    thread = threading.Thread(target=server.run, name="simulator", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.effective_port}"
    finally:
        # Workers first: one that still ends its request writes to the loop's pipe, by then perhaps another's.
        server.task_dispatcher.shutdown(timeout=_CLOSE_SECONDS)
        server.trigger.pull_trigger(lambda: _close(server))
        thread.join(_CLOSE_SECONDS)


def _close(server: TcpWSGIServer) -> None:
    """In the server's own thread: its loop ends once no socket is left."""
    for dispatcher in list(server._map.values()):  # noqa: SLF001  (waitress offers no other way to its connections)
        dispatcher.close()
