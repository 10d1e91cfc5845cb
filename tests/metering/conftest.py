"""Tells `examples` whether this is the whole matrix, before the tests that ask it are imported."""

import pytest

from tests.inventory.conftest import manage
from tests.metering import examples

__all__ = ["manage"]


def pytest_configure(config: pytest.Config) -> None:
    examples.IS_MATRIX = config.getoption("--matrix")
