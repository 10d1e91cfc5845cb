"""Errors of the S3 library, converted into the provider's."""

from http import HTTPStatus

import structlog
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as S3ConnectionError
from botocore.parsers import ResponseParserError

from arcadia_cloud.digitalocean.credentials import SpacesKeys
from arcadia_cloud.digitalocean.errors import (
    ProviderError,
    ProviderForbidden,
    ProviderMalformed,
    ProviderNotFound,
    ProviderRejected,
    ProviderUnavailable,
)
from arcadia_cloud.digitalocean.redaction import redact
from arcadia_cloud.digitalocean.responses import failure_of_exception
from arcadia_cloud.digitalocean.spaces_xml import RedirectedElsewhere

log = structlog.get_logger(__name__)


def convert_s3_error(error: Exception, call: str, keys: SpacesKeys) -> ProviderError:
    """Convert a library's error into one of ours, with our text: the library's may quote what was sent."""
    if isinstance(error, RedirectedElsewhere):
        return ProviderRejected(str(error), status=error.status, call=call)
    if isinstance(error, ClientError):
        return _convert_client_error(error, call, keys)
    if isinstance(error, HTTPClientError | S3ConnectionError):
        return failure_of_exception(error, call=call, changes=False).error
    if isinstance(error, ResponseParserError | ValueError):  # a number that is none is a plain ValueError
        return ProviderMalformed("the answer is not the XML that S3 speaks", call=call)
    if not isinstance(error, BotoCoreError):
        log.error("unexpected_error_of_boto3", call=call, error=type(error).__name__)
    return ProviderRejected(f"the call can't be made: {type(error).__name__}", call=call)


def _convert_client_error(error: ClientError, call: str, keys: SpacesKeys) -> ProviderError:
    details, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode")
    kind: type[ProviderError] = ProviderRejected
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = ProviderUnavailable
    elif status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        kind = ProviderForbidden
    elif status == HTTPStatus.NOT_FOUND:
        kind = ProviderNotFound
    code, message, request_id = (
        redact(str(text or ""), keys.key, keys.secret)
        for text in (details.get("Code"), details.get("Message"), metadata.get("RequestId"))
    )
    has_own_error = code != str(status)
    if kind is ProviderUnavailable and not has_own_error:
        message = f"{message}, or an answer that is not XML"  # botocore takes such a one for a 500
    return kind(
        message or "no reason was given",
        status=status,
        error_id=code if has_own_error else "",
        request_id=request_id,
        call=call,
    )
