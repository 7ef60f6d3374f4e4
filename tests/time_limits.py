"""A test that does not end ends its worker: the run names it and goes on.

The alarm of pytest-timeout raises inside whatever runs; code that catches everything (an event loop under a
browser's driver) swallows it, and nothing would ring again.
"""

from __future__ import annotations

import faulthandler
from collections.abc import Generator

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key

GRACE_SECONDS = 60.0
"""Between the alarm and the end of the worker."""


def limit_of(item: pytest.Item) -> float:
    """Seconds after which the alarm of this test rings."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0] if marker and marker.args else item.config.getini("timeout"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Where every thread stands is written to the standard error output before the process ends."""
    watch(item)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """pytest itself calls the end off when a test has failed; what it leaves behind may hang as well."""
    if isinstance(node, pytest.Item):
        watch(node)


def watch(item: pytest.Item) -> None:
    """From now on this test has its time, and some grace."""
    seconds, output = limit_of(item) + GRACE_SECONDS, item.config.stash[fault_handler_stderr_fd_key]
    faulthandler.dump_traceback_later(seconds, file=output, exit=True)
