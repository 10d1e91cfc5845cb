"""The sagas' state, for the readiness endpoint."""

from arcadia_cloud.kernel.readiness import CheckResult
from provisioning.queries import summarize_provisioning


def check_sagas() -> CheckResult:
    """Report a pause and what needs an operator; requests are served all the same: not vital."""
    now = summarize_provisioning()
    faults = (
        ("paused", now.brake.paused),
        (f"{now.dead_letters} dead letters", now.dead_letters),
        (f"{now.compensation_failures} undo failures", now.compensation_failures),
    )
    messages = [message for message, is_so in faults if is_so]
    return CheckResult(ok=not messages, message="; ".join([*messages, f"{now.live} live"]), vital=False)
