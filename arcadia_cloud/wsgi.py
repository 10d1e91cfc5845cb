"""The WSGI entry point of the web server."""

import os
import socket
from collections.abc import Iterable
from typing import Any, Final

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arcadia_cloud.settings")
STALLED_SECONDS: Final = 30.0
_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request. A client that takes or sends nothing for half a minute loses its connection.

    gunicorn has no such limit: whoever stops reading would keep one of the process's few threads for ever.
    """
    connection = environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        connection.settimeout(STALLED_SECONDS)
    return _django(environ, start_response)
