"""Fixtures for all tests. `served()` and the browsers are in `tests.browsers`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests import compiled_templates, fault_time, second_runs
from tests.browsers import launch_arguments
from tests.faults import fault_ledger, program
from tests.temporary_files import keep_in_memory
from tests.time_limits import pytest_exception_interact, pytest_runtest_protocol

__all__ = ["pytest_exception_interact", "pytest_runtest_protocol"]


def pytest_configure(config: pytest.Config) -> None:
    """Hooks of the same name as those above come as a plugin of their own."""
    keep_in_memory()
    compiled_templates.share()
    if os.environ.get(fault_ledger.VARIABLE):
        program.at_the_start()
    config.pluginmanager.register(second_runs)
    config.pluginmanager.register(fault_time)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_name: str) -> dict[str, Any]:
    """pytest-playwright starts Debian's browsers, not its own."""
    return launch_arguments(browser_name)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Whoever asked for the ledger of faults gets it, from the process that the others work for."""
    if (folder := os.environ.get(fault_ledger.VARIABLE)) and not hasattr(session.config, "workerinput"):
        fault_ledger.merge(Path(folder))
