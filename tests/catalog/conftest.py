"""Fixtures of the catalog's tests."""

import pytest


@pytest.fixture(autouse=True)
def _empty_valkey() -> None:
    """Take the place of the fixture that empties Valkey: a quote needs no server."""
