"""Fixtures for all tests. `served()` and the browsers are in `tests.browsers`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browsers import launch_arguments


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_name: str) -> dict[str, Any]:
    """pytest-playwright starts Debian's browsers, not its own."""
    return launch_arguments(browser_name)
