"""Fixtures for every test: real servers and processes, each bounded in time and ended with its test."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--matrix", action="store_true", help="run the whole matrix of faults, not each kill point once"
    )
