"""The view of a list's rows as a file."""

from typing import Final

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from arcadia_cloud.kernel.api.downloads import Format
from arcadia_cloud.kernel.api.views import FilteredView

FORMAT_PARAMETER: Final = OpenApiParameter(
    "format",
    enum=[str(form) for form in Format],
    default=str(Format.CSV),
    description="What the file is written as.",
)


class _CsvRenderer(BaseRenderer):
    """Lets CSV be asked for. It renders nothing: a file is streamed, and what is refused is a problem."""

    media_type = "text/csv"
    format = "csv"


class DownloadView(FilteredView):
    """Rows as a file: all that the filters leave. `?format=` chooses which; declare FORMAT_PARAMETER."""

    query_parameters = frozenset({"format"})

    def get_renderers(self) -> list[BaseRenderer]:
        """Let a file be asked for as either; OPTIONS answers as everywhere."""
        is_file = self.request is not None and self.request.method in {"GET", "HEAD"}
        return [JSONRenderer(), *([_CsvRenderer()] if is_file else [])]

    def requested_format(self, request: Request) -> Format:
        """Return the format asked for, CSV by default. Raises ValidationError (400) for another."""
        asked = request.query_params.get("format", Format.CSV)
        if asked not in list(Format):
            raise ValidationError({"format": [f"Must be one of {', '.join(Format)}."]})
        return Format(asked)
