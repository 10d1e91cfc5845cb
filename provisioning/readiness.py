"""How sagas stand, for the readiness endpoint."""

from arcadia_cloud.kernel.readiness import CheckResult
from provisioning.queries import standing


def sagas() -> CheckResult:
    """A pause and what needs a hand are told; requests are served as ever: not vital."""
    now = standing()
    faults = (
        ("paused", now.brake.paused),
        (f"{now.dead_letters} dead letters", now.dead_letters),
        (f"{now.undo_failures} undo failures", now.undo_failures),
    )
    words = [words for words, is_so in faults if is_so]
    return CheckResult(ok=not words, message="; ".join([*words, f"{now.live} live"]), vital=False)
