"""The end of a run says how long the faults took, whatever else ran."""

from __future__ import annotations

from typing import Literal

from _pytest.reports import BaseReport, TestReport

from tests.fault_time import seconds_of


def a_report(nodeid: str, seconds: float, *marks: str) -> BaseReport:
    keywords: dict[str, Literal[1]] = dict.fromkeys(marks, 1)
    return TestReport(nodeid, ("", 0, ""), keywords, "passed", None, "call", duration=seconds)


def test_the_tests_of_faults_count_wherever_they_are_and_no_others() -> None:
    reports = [
        a_report("tests/faults/test_time.py::test_a", 3),
        a_report("tests/browser/test_tablet.py::test_b", 4, "fault", "browser"),
        a_report("tests/browser/test_tablet.py::test_c", 50, "browser"),
    ]
    assert seconds_of(reports) == 7
