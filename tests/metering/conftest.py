"""Tells `examples` whether this is the whole matrix, before the tests that ask it are imported."""

import pytest

from tests.metering import examples


def pytest_configure(config: pytest.Config) -> None:
    examples.IS_MATRIX = config.getoption("--matrix")
