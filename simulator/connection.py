"""Connections that end without a response, for which WSGI has no call."""

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
    """A task that hands its connection to the application."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[_CHANNEL] = self.channel
        return environ


class DroppableChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    task_class = ChannelTask


def drop(*, reset: bool) -> Response:
    """Close the request's connection, by FIN or RST, and return a response that is never sent.

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
