"""Servers of the simulated services: for the process's life, or for the length of a block."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import TcpWSGIServer, create_server

from simulator.app import create_app
from simulator.connection import DroppableChannel
from simulator.simulation import Simulation

_THREADS = 16
_CLOSE_SECONDS = 10


def make_server(app: Flask, *, host: str = "127.0.0.1", port: int = 0) -> TcpWSGIServer:
    """Return a waitress server that is bound and not yet running; port 0 takes a free one."""
    server = create_server(
        app,
        host=host,
        port=port,
        threads=_THREADS,
        ident="simulator",
        channel_timeout=60,
        outbuf_overflow=16 * 1024 * 1024,  # above a page of 200 droplets, or waitress would write it to disk
        clear_untrusted_proxy_headers=True,
    )
    server.channel_class = DroppableChannel
    return server


def serve(
    simulation: Simulation | None = None, *, host: str = "127.0.0.1", port: int = 0, **options: Any
) -> AbstractContextManager[str]:
    """Run a simulator in a thread and yield its base URL; `options` are of a new simulation."""
    return serve_app(create_app(simulation or Simulation(**options)), host=host, port=port)


def run_until_signal(server: TcpWSGIServer, name: str) -> None:
    """Announce the server's address on standard output and serve until SIGTERM or SIGINT ends the process."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # Flushed at once: whoever started the process waits for this line, which a pipe would buffer.
    sys.stdout.write(f"{name} listening on http://{server.effective_host}:{server.effective_port}\n")
    sys.stdout.flush()
    server.run()


@contextmanager
def serve_app(app: Flask, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the application in a thread for the block; yields its base URL."""
    server = make_server(app, host=host, port=port)
    ending = threading.Event()

    def loop() -> None:  # `server.run` has no end but the process's
        while not ending.is_set():
            wasyncore.loop(timeout=_CLOSE_SECONDS, use_poll=True, map=server._map, count=1)  # noqa: SLF001

    thread = threading.Thread(target=loop, name="simulator", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.effective_port}"
    finally:
        # Nothing is closed before every thread that may write to it has ended: the number of a closed
        # socket is soon another's.
        server.task_dispatcher.shutdown(timeout=_CLOSE_SECONDS)
        ending.set()
        server.pull_trigger()
        thread.join(_CLOSE_SECONDS)
        wasyncore.close_all(server._map)  # noqa: SLF001  (waitress knows its connections by no other name)
