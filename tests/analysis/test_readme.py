"""The method page says what the code does: its tables are compared with it."""

from __future__ import annotations

import re
from pathlib import Path

from analysis.axes import JSON_FIELDS
from analysis.csv_input import ANSWERS, COUNTS, OPTIONAL

HERE = Path(__file__).parent
PACKAGE = HERE.parent.parent / "analysis"
README = (PACKAGE / "README.md").read_text("utf-8")


def test_every_rule_has_a_test_that_cites_it() -> None:
    rules = set(re.findall(r"^\| (S\d) \|", README, re.MULTILINE))
    tests = "\n".join(path.read_text("utf-8") for path in HERE.glob("test_*.py"))
    cited = {f"S{number}" for number in re.findall(r"def test_s(\d)_", tests)}
    assert rules == cited == {f"S{number}" for number in range(1, 10)}


def test_the_modules_named_exist() -> None:
    named = set(re.findall(r"`(\w+\.py)`", README))
    assert named
    assert {name for name in named if not (PACKAGE / name).is_file()} == set()


def test_columns_and_keys_are_those_of_the_command() -> None:
    for words in (",".join(COUNTS), ",".join(ANSWERS), *OPTIONAL, *JSON_FIELDS):
        assert f"`{words}`" in README


def test_a_decision_has_a_date_and_five_lines() -> None:
    decisions = README.split("## Decisions\n")[1].strip().split("\n\n")
    for decision in decisions:
        heading, *lines = decision.splitlines()
        assert re.match(r"\*\*\d{4}-\d\d-\d\d\. .+\?\*\*$", heading)
        assert [line.partition(":")[0] for line in lines] == ["Question", "Answer", "Why", "Price"]
