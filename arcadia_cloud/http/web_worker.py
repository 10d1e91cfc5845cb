"""The web server's worker: gunicorn's threads, and beside them a few that answer health checks alone."""

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

HEALTH_THREADS: Final = 2
_PEEKED_BYTES: Final = 4096
_FIRST_BYTES_SECONDS: Final = 5.0
# The whole head: a client that sends it in drops must not keep one of the few threads waiting for the rest.
_HEALTH_REQUEST: Final = re.compile(rb"(GET|HEAD) /api/health(/ready)?[ ?].*?\r\n\r\n", re.DOTALL)


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Threads for requests, and a few for health checks, which requests that hang can't hold up.

    A database that hangs keeps every thread that asks it until its time limit, and more requests wait behind.
    A liveness check that waited there, too, would have the process restarted, which mends nothing.
    """

    def init_process(self) -> None:
        self._health_pool = ThreadPoolExecutor(HEALTH_THREADS, "health")
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and wait for its first bytes without a thread: they decide which it gets."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # another worker was faster, or the client has left
        self.nr_conns += 1
        connection = TConn(self.cfg, client, address, listener.getsockname())
        connection.timeout = time.monotonic() + _FIRST_BYTES_SECONDS
        self.pending_conns.append(connection)
        self.poller.register(client, EVENT_READ, partial(self.on_pending_socket_readable, connection))

    def enqueue_req(self, conn: Any) -> None:
        """Have a thread handle what has come: one of the few for a health check."""
        pool = self._health_pool if asks_for_health(conn.sock) else self.tpool
        done = pool.submit(self.handle, conn)
        done.add_done_callback(lambda future: self.method_queue.defer(self.finish_request, conn, future))


def asks_for_health(client: socket.socket) -> bool:
    """Return whether a connection's next request is a health check, without reading it or waiting for it."""
    try:
        head = client.recv(_PEEKED_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return False
    return _HEALTH_REQUEST.match(head) is not None
