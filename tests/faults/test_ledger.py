"""The oracle itself: it sees what is lost, doubled or changed, and writes what it saw as it is."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.faults import fault_ledger
from tests.faults.fault_ledger import REAL, SIMULATED, Run, merge
from tests.faults.ledger import Figures, Ledger, Stored
from tests.faults.program import UNKNOWN, Program, program

PAIRS = [("a", "1"), ("b", "2"), ("c", "3")]


def a_ledger() -> Ledger:
    ledger = Ledger()
    for record, content_hash in PAIRS:
        ledger.attempt(record)
        ledger.acknowledge(record, content_hash)
    ledger.attempt("nobody-thanked")
    ledger.strike("answer_lost", ["a"])
    return ledger


def stored(*pairs: tuple[str, str], apart: int = 0) -> Stored:
    return Stored(Counter(pairs), Counter(PAIRS[:apart]), Counter(record for record, _ in pairs))


@pytest.mark.parametrize(
    ("found", "lost", "duplicated"),
    [
        (stored(*PAIRS), 0, 0),
        (stored(*PAIRS[1:]), 1, 0),
        (stored(*PAIRS[1:], ("a", "another hash")), 1, 0),
        (stored(*PAIRS[1:], apart=1), 0, 0),
        (Stored(Counter([*PAIRS, PAIRS[0]]), Counter(), Counter()), 0, 1),
        (Stored(Counter([*PAIRS, ("a", "another hash")]), Counter(), Counter()), 0, 1),
        (Stored(Counter(PAIRS), Counter(), Counter(["a", "a", "b", "c"])), 0, 1),
    ],
    ids=["all there", "one missing", "one changed", "kept apart", "twice", "two hashes", "counted twice"],
)
def test_what_was_acknowledged_is_compared_with_what_is_stored_by_id_and_hash(
    found: Stored, lost: int, duplicated: int
) -> None:
    whole, kinds = a_ledger().against(found)
    assert (whole.attempted, whole.acknowledged, whole.faults) == (4, 3, 1)
    assert (whole.lost, whole.duplicated) == (lost, duplicated)
    assert (kinds["answer_lost"].lost, kinds["answer_lost"].duplicated) == (lost, duplicated)


def test_the_ledger_is_written_as_found_keeps_earlier_runs_and_leaves_controls_out_of_the_total(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(fault_ledger.VARIABLE, str(tmp_path))
    for test, lost, teeth in (("first", 0, False), ("second", 2, False), ("control", 5, True)):
        run = Run(test, SIMULATED, 7, teeth=teeth)
        run.add("answer_lost", Figures(faults=1, attempted=9, acknowledged=9, stored=9 - lost, lost=lost))
        run.keep()
        merge(tmp_path)
    content = json.loads((tmp_path / "fault-ledger.json").read_text(encoding="utf-8"))
    assert [run["test"] for run in content["runs"]] == ["control", "first", "second"]
    assert content["total"]["lost"] == content["kinds"]["answer_lost"]["lost"] == 2
    page = (tmp_path / "fault-ledger.md").read_text(encoding="utf-8")
    assert "| **total of the runs** | 7 | 2 | 2 | 18 | 18 | 16 | 0 | 2 | 0 |" in page


def test_each_line_says_of_which_program_it_is_and_who_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(fault_ledger.VARIABLE, str(tmp_path))
    for client, commit, changed in ((REAL, "abc", True), (SIMULATED, "def", False)):
        found = Program(commit, changed)
        monkeypatch.setattr(fault_ledger, "under_test", lambda found=found: found)
        run = Run(f"by {client}", client, 7)
        run.add("answer_lost", Figures(faults=1, attempted=9, stored=9))
        run.keep()
    merge(tmp_path)
    content = json.loads((tmp_path / "fault-ledger.json").read_text(encoding="utf-8"))
    told = [(run["client"], run["commit"], run["changed"]) for run in content["runs"]]
    assert told == [("real", "abc", True), ("simulated", "def", False)]
    page = (tmp_path / "fault-ledger.md").read_text(encoding="utf-8")
    assert "| `by real` | real | 7 | " in page
    assert "| `abc` (changed since) | 1 | 9 |" in page
    assert "| `def` | 1 | 9 |" in page
    assert "| simulated | 7 | 1 | 1 | 9 | 0 | 9 | 0 | 0 | 0 |" in page


def test_a_line_that_does_not_say_of_which_program_it_is_is_not_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(fault_ledger.VARIABLE, str(tmp_path))
    (tmp_path / "fault-ledger.json").write_text(json.dumps({"runs": [{"test": "of an older form"}]}))
    run = Run("new", REAL)
    run.add("answer_lost", Figures(faults=1))
    run.keep()
    merge(tmp_path)
    content = json.loads((tmp_path / "fault-ledger.json").read_text(encoding="utf-8"))
    assert [run["test"] for run in content["runs"]] == ["new"]


def git(folder: Path, *arguments: str) -> str:
    asked = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.example", *arguments]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


def test_a_program_is_changed_by_any_file_but_the_ledger(tmp_path: Path) -> None:
    assert program(tmp_path).commit == UNKNOWN
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("fault-ledger.json", "fault-ledger.md", "other.md"):
        (docs / name).write_text("a")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "a")
    commit = git(tmp_path, "rev-parse", "HEAD")[:12]
    (docs / "fault-ledger.json").write_text("b")
    assert program(tmp_path) == Program(commit, changed=False)
    (tmp_path / "new.py").touch()
    assert program(tmp_path) == Program(commit, changed=True)


def test_without_being_asked_for_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(fault_ledger.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    run = Run("quiet", SIMULATED)
    run.add("answer_lost", Figures(faults=1))
    run.keep()
    assert list(tmp_path.iterdir()) == []
