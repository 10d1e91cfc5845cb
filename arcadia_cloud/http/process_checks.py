"""The readiness check of workers and beat. It reads rows, so it is imported once the models are loaded."""

from django.utils import timezone

from arcadia_cloud.kernel.processes import Processes, read_processes
from arcadia_cloud.kernel.readiness import CheckResult


def check_workers() -> CheckResult:
    """Check that each queue has a worker and that a beat runs. Not vital: requests are answered without."""
    missing = missing_processes(read_processes(at=timezone.now()))
    return CheckResult(ok=not missing, message="; ".join(missing) or "every queue has one", vital=False)


def missing_processes(processes: Processes) -> list[str]:
    """Return what doesn't run, in words; empty when all does."""
    missing = [f"none takes from {name}" for name in processes.unserved]
    return missing if processes.beats else [*missing, "no beat runs: nothing is scheduled"]
