"""Ending a connection without an answer, which WSGI has no word for."""

import socket
import struct
from contextlib import suppress
from typing import Any, Final

from flask import Response, request
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

_CHANNEL: Final = "simulator.channel"
_LINGER_ZERO: Final = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends RST
_DROPPED: Final = "x-simulator-dropped"


class ChannelTask(WSGITask):  # type: ignore[misc]  # waitress has no types
    """Lets the application see the connection it answers on."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[_CHANNEL] = self.channel
        return environ


class DroppableChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    task_class = ChannelTask


def drop(*, reset: bool) -> Response:
    """End the request's connection, by FIN or RST; what is returned never reaches the client.

    Raises ConnectionResetError where there is no connection, under Flask's test client.
    """
    channel = request.environ.get(_CHANNEL)
    if channel is None:
        raise ConnectionResetError("the simulator dropped the request")
    channel.connected = False  # waitress writes nothing more to it
    with suppress(OSError):  # the client may have gone first
        if reset:
            channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        else:
            channel.socket.shutdown(socket.SHUT_RDWR)
    channel.will_close = True
    channel.server.pull_trigger()
    return Response(status=503, headers={_DROPPED: "yes"})


def is_dropped(response: Response) -> bool:
    return _DROPPED in response.headers
