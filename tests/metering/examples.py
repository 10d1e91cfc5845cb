"""The number of hypothesis' examples: few in the everyday run, many with `--matrix`."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

IS_MATRIX = False  # set by conftest


def examples(everyday: int, matrix: int) -> Callable[[Any], Any]:
    """Have a property tried so many times; each is slow, being days of statements."""
    many = matrix if IS_MATRIX else everyday
    return settings(max_examples=many, deadline=None, suppress_health_check=[HealthCheck.too_slow])
