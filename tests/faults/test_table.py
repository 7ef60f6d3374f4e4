"""Every fault of the table has its test, and every test of a fault is in the table."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).resolve().parents[1]
FAULTS: Final = 56
CLIENT: Final = TESTS.parent / "survey_app" / "client" / "test"
CONTROL: Final = re.compile(
    r"^\| (\d+(?:, \d+)*) \| (?:`([^`]+?)::([^`]+)`|none: [^|]+) \|$", flags=re.MULTILINE
)
ROW: Final = re.compile(r"^\| (\d+) \| [^|]+ \| `([^`]+\.py)::(test_\w+)` \|$", flags=re.MULTILINE)


def in_the_table() -> dict[int, tuple[str, str]]:
    text = (TESTS / "faults" / "README.md").read_text(encoding="utf-8")
    return {int(number): (path, name) for number, path, name in ROW.findall(text)}


def marked() -> dict[int, set[tuple[str, str]]]:
    """Every test that carries the mark, by fault; without those that only the long campaigns run."""
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for number in _faults_of(node):
                    found[number].add((str(path.relative_to(TESTS)), node.name))
    return found


def _faults_of(test: ast.FunctionDef) -> list[int]:
    if any(ast.unparse(node) == "pytest.mark.deep" for node in test.decorator_list):
        return []
    calls = [node for node in test.decorator_list if isinstance(node, ast.Call)]
    marks = [call for call in calls if ast.unparse(call.func) == "pytest.mark.fault"]
    return [ast.literal_eval(argument) for call in marks for argument in call.args]


def test_every_fault_is_in_the_table_with_a_test_that_is_there() -> None:
    table, tests = in_the_table(), marked()
    assert sorted(table) == list(range(1, FAULTS + 1))
    missing = {number: place for number, place in table.items() if place not in tests[number]}
    assert missing == {}


def test_every_marked_test_belongs_to_a_fault_of_the_table() -> None:
    assert set(marked()) <= set(in_the_table())


def controls() -> list[tuple[list[int], str, str]]:
    """The faults of each line, the file and the test; both empty where there is none, with the reason."""
    text = (TESTS / "faults" / "README.md").read_text(encoding="utf-8").partition("## The controls")[2]
    return [([*map(int, numbers.split(", "))], path, name) for numbers, path, name in CONTROL.findall(text)]


def test_every_fault_has_a_control_that_is_there_or_a_reason_for_none() -> None:
    found = controls()
    assert sorted(number for numbers, _path, _name in found for number in numbers) == list(
        range(1, FAULTS + 1)
    )
    for _numbers, path, name in found:
        if path:
            client = path.startswith("client/")
            file = CLIENT / path.removeprefix("client/") if client else TESTS / path
            wanted = name if client else f"def {name}("
            assert wanted in file.read_text(encoding="utf-8"), f"{path}::{name}"
