"""The API's schema and its documentation page. Both work without internet."""

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from arcadia_cloud.kernel.api.views import StrictQueryMixin


class SchemaView(StrictQueryMixin, SpectacularAPIView):
    """OpenAPI 3.1, as YAML or, by the Accept header, JSON. Public: it holds no data."""

    throttle_classes = ()


class DocumentationView(SpectacularSwaggerSplitView):
    """Swagger UI; its start-up script is an address of its own, so that no inline script is needed."""

    http_method_names = ("get", "head")  # a page has no metadata
    throttle_classes = ()
