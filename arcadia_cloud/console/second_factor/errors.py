"""Refusals of the second factor."""

from arcadia_cloud.kernel.errors import Conflict, InvalidInput


class WrongCode(InvalidInput):
    """The code isn't the present one, was used before, or is no recovery code that is left."""

    code = "wrong_code"


class CodeThrottled(Conflict):
    """Codes came too fast after wrong ones: not even the right one counts before the pause is over."""

    code = "code_throttled"


class AlreadyEnrolled(Conflict):
    """There is a second factor, and the session hasn't passed it: only its holder may replace it."""

    code = "already_enrolled"


class LockedOut(Conflict):
    """Too many wrong passwords or codes of this name from this address."""

    code = "locked_out"


class NothingToReset(Conflict):
    """The person has no second factor."""

    code = "nothing_to_reset"


class OwnSecondFactor(Conflict):
    """One's own second factor isn't reset, but replaced, with a code of it."""

    code = "own_second_factor"
