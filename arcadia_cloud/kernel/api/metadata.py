"""The answer to OPTIONS: an endpoint's name and its media types."""

from typing import Any

from rest_framework.metadata import SimpleMetadata
from rest_framework.request import Request


class EndpointMetadata(SimpleMetadata):
    """As the library's, without fields: it describes those of the answer as if they were the body's."""

    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        """Return none: `/api/schema` describes the bodies."""
        return {}
