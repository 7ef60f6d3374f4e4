"""The committed ledger holds a line of each deep test that reports, and as much as was asked for.

`make test` looks at it too: whoever adds a campaign, or takes one away, runs `make test-deep` once.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.fault_ledger import NO_CLIENT, REAL, SIMULATED, VARIABLE, Run, as_page
from tests.faults.ledger import Figures
from tests.faults.program import ROOT, UNKNOWN

DOCS: Final = ROOT / "docs"
FIELDS: Final = frozenset({*asdict(Run("", "")), "on", "commit", "changed"})
LEAST: Final = {
    "kills of the server": 400,
    "power cuts with FULL": 2_000,
    "interviews through the real client": 500,
    "restarts of PostgreSQL": 20,
    "records in storms": 10_000,
    "faults in storms": 1_000,
}
"""What the proof asks for. Sweeps try the same few records again and again: only those of storms count."""

Content = dict[str, Any]


def committed() -> Content:
    content: Content = json.loads((DOCS / "fault-ledger.json").read_text(encoding="utf-8"))
    return content


def deep_tests_that_report() -> set[str]:
    """Their names as pytest gives them, from the marks: a process of its own, which runs none of them."""
    marked = [path for path in Path(__file__).parent.glob("test_*.py") if "mark.ledger(" in path.read_text()]
    asked = ["-q", "--collect-only", "-m", "deep and ledger", "-p", "no:xdist", *map(str, marked)]
    command = [sys.executable, "-m", "pytest", *asked]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", VARIABLE))}
    told = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True, timeout=60)
    return set(re.findall(r"::(\S+)$", told.stdout, flags=re.MULTILINE))


def wanting(content: Content) -> dict[str, int]:
    """The figures that are under what was asked for."""
    counted = [run for run in content["runs"] if not run["teeth"]]

    def of_kinds(beginning: str) -> int:
        every = [kinds for run in counted for kinds in run["kinds"].items()]
        return sum(figures["faults"] for kind, figures in every if kind.startswith(beginning))

    def of_clients(figure: str, *clients: str) -> int:
        return sum(run["whole"][figure] for run in counted if run.get("client") in clients)

    found = {
        "kills of the server": of_kinds("server_killed_at_"),
        "power cuts with FULL": of_kinds("power_cut_under_the_server"),
        "interviews through the real client": of_clients("attempted", REAL),
        "restarts of PostgreSQL": of_kinds("postgresql_restarted_at_once"),
        "records in storms": of_clients("stored", REAL, SIMULATED),
        "faults in storms": of_clients("faults", REAL, SIMULATED),
    }
    return {name: found[name] for name, least in LEAST.items() if found[name] < least}


def promises_broken(content: Content) -> list[str]:
    """Runs that lost or doubled something, and controls that did not."""
    broken = {run["test"]: run["whole"]["lost"] + run["whole"]["duplicated"] > 0 for run in content["runs"]}
    return [run["test"] for run in content["runs"] if broken[run["test"]] != run["teeth"]]


def without_a_full_line(content: Content, tests: set[str]) -> set[str]:
    """The tests of which there is no line that says of which program it is and who sent."""
    full = [run for run in content["runs"] if run.keys() >= FIELDS and run["commit"] != UNKNOWN]
    return tests - {run["test"] for run in full}


def test_each_deep_test_that_reports_has_its_line_and_no_line_is_of_a_test_that_is_gone() -> None:
    content, tests = committed(), deep_tests_that_report()
    assert len(tests) > 10
    assert without_a_full_line(content, tests) == set(), "run `make test-deep`"
    assert {run["test"] for run in content["runs"]} - tests == set(), "take these lines out"


def test_the_committed_figures_reach_what_was_asked_for() -> None:
    content = committed()
    assert wanting(content) == {}, f"`make test-deep` has to reach {LEAST}"
    assert promises_broken(content) == []


def test_the_committed_page_says_what_the_figures_say() -> None:
    content = committed()
    assert (DOCS / "fault-ledger.md").read_text(encoding="utf-8") == as_page(content)


def a_run(client: str, kind: str, faults: int, records: int = 0, lost: int = 0) -> Content:
    run = Run(f"{client} {kind}", client, teeth=lost > 0)
    run.add(kind, Figures(faults=faults, attempted=records, stored=records, lost=lost))
    return {**asdict(run), "on": "2026-11-29", "commit": "0" * 12, "changed": False}


def enough() -> list[Content]:
    return [
        a_run(NO_CLIENT, "server_killed_at_fsync", 400),
        a_run(NO_CLIENT, "power_cut_under_the_server", 2_000),
        a_run(NO_CLIENT, "postgresql_restarted_at_once", 20),
        a_run(REAL, "browser_killed", 100, 500),
        a_run(SIMULATED, "answer_lost", 900, 9_500),
        a_run(NO_CLIENT, "control", 10, 10, lost=1),
    ]


@pytest.mark.parametrize(
    ("line", "changed", "names"),
    [
        (0, {"faults": 399}, {"kills of the server"}),
        (1, {"faults": 1_999}, {"power cuts with FULL"}),
        (2, {"faults": 19}, {"restarts of PostgreSQL"}),
        (3, {"attempted": 499}, {"interviews through the real client"}),
        (4, {"stored": 9_499}, {"records in storms"}),
        (4, {"faults": 899}, {"faults in storms"}),
    ],
)
def test_one_less_than_asked_for_is_told(line: int, changed: dict[str, int], names: set[str]) -> None:
    runs = enough()
    assert wanting({"runs": runs}) == {}
    runs[line]["whole"] |= changed
    (kind,) = runs[line]["kinds"]
    runs[line]["kinds"][kind] |= changed
    assert wanting({"runs": runs}).keys() == names


def test_simulated_tablets_and_controls_stand_for_no_real_client_and_no_power_cut() -> None:
    runs = enough()
    runs[3]["client"], runs[1]["teeth"] = SIMULATED, True
    assert wanting({"runs": runs}).keys() == {"interviews through the real client", "power cuts with FULL"}


def test_a_lost_record_and_a_control_without_teeth_are_told() -> None:
    runs = enough()
    assert promises_broken({"runs": runs}) == []
    runs[4]["whole"]["lost"], runs[5]["whole"]["lost"] = 1, 0
    assert promises_broken({"runs": runs}) == [runs[4]["test"], runs[5]["test"]]


def test_a_line_of_an_earlier_form_is_no_line() -> None:
    runs = enough()
    tests = {run["test"] for run in runs}
    assert without_a_full_line({"runs": runs}, tests) == set()
    del runs[0]["commit"]
    assert without_a_full_line({"runs": runs[:-1]}, tests) == {runs[0]["test"], runs[5]["test"]}
