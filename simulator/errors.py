"""Error responses of DigitalOcean: a status and `{"id", "message", "request_id"}`."""

from typing import Final

NOT_FOUND: Final = "The resource you requested could not be found."


class ApiError(Exception):
    """An error response, with DigitalOcean's id and message."""

    def __init__(self, status: int, error_id: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_id = error_id
        self.message = message


def not_found(message: str = NOT_FOUND) -> ApiError:
    return ApiError(404, "not_found", message)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "bad_request", message)


def unprocessable(message: str) -> ApiError:
    return ApiError(422, "unprocessable_entity", message)


def unauthorized() -> ApiError:
    return ApiError(401, "unauthorized", "Unable to authenticate you.")


def forbidden() -> ApiError:
    return ApiError(403, "forbidden", "You do not have permission to perform this action.")


def conflict(message: str) -> ApiError:
    return ApiError(409, "conflict", message)


def pending_event() -> ApiError:
    return unprocessable("Droplet already has a pending event.")


def too_many_requests() -> ApiError:
    return ApiError(429, "too_many_requests", "API rate limit exceeded.")
