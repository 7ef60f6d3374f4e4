"""Every abuse case of the personal links and of anonymity has a test that carries its code."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
CASES = range(11, 30)
"""AC-11 … AC-29: personal links, anonymity."""


def codes() -> set[int]:
    return {
        int(code)
        for path in TESTS.rglob("test_*.py")
        for code in re.findall(
            r'^@pytest\.mark\.abuse\("(?:AC-)?(\d+)"\)', path.read_text("utf-8"), flags=re.M
        )
    }


def test_every_abuse_case_of_links_and_anonymity_has_a_test() -> None:
    assert [f"AC-{code}" for code in CASES if code not in codes()] == []
