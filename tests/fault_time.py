"""How long the faults took, at the end of a run, beside the eight minutes on two processors they may take."""

from __future__ import annotations

from _pytest.reports import BaseReport
from _pytest.terminal import TerminalReporter

AT_MOST_SECONDS = 480
PROCESSORS = 2


def seconds_of(reports: list[BaseReport]) -> float:
    """Set-up and end included, of the tests in ``faults`` and of those elsewhere that carry the mark."""
    ours = [one for one in reports if "/faults/" in one.nodeid or "fault" in getattr(one, "keywords", {})]
    return sum(getattr(one, "duration", 0.0) for one in ours)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Nothing fails by it: a busy machine is no fault."""
    kinds = terminalreporter.stats.values()
    reports = [one for kind in kinds for one in kind if isinstance(one, BaseReport)]
    if seconds := seconds_of(reports) / PROCESSORS:
        share = f"{seconds:.0f} s on {PROCESSORS} processors, of {AT_MOST_SECONDS} s"
        terminalreporter.write_line(f"faults: {share}")
