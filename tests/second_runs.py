"""A test in a real browser that fails is run once more, and says so: « R » in the dots, and why at the end.

Browsers, servers and locks run on real clocks: on a busy machine one of a few hundred tests is late. What is
broken fails twice. Every other test runs once, and so does one that reports to the ledger of faults: what
befalls one tablet in a hundred is what it looks for.
"""

from __future__ import annotations

import pytest
from _pytest.runner import runtestprotocol
from _pytest.terminal import TerminalReporter
from pytest_timeout import _get_item_settings

from tests import time_limits

RERUN = "rerun"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Both runs have their alarm: the first one's went off, or was called off, with its failure."""
    if item.get_closest_marker("browser") is None or item.get_closest_marker("ledger") is not None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    failed = next((report for report in reports if report.failed), None)
    if failed is not None:
        failed.outcome = RERUN  # type: ignore[assignment]
        item.ihook.pytest_runtest_logreport(report=failed)
        item._initrequest()  # type: ignore[attr-defined]
        _set_the_alarm_again(item)
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _set_the_alarm_again(item: pytest.Item) -> None:
    alarm = item.config.pluginmanager.hook
    alarm.pytest_timeout_cancel_timer(item=item)
    alarm.pytest_timeout_set_timer(item=item, settings=_get_item_settings(item))
    time_limits.watch(item)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """A run that was not the last one counts as neither."""
    return (RERUN, "R", "RERUN") if report.outcome == RERUN else None


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """What failed at first, for whoever looks for its cause."""
    for report in terminalreporter.stats.get(RERUN, []):
        terminalreporter.section(f"first run of {report.nodeid}", sep="-")
        terminalreporter.write_line(report.longreprtext[-3_000:])
