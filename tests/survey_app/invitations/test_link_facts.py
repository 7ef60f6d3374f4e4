"""A fact about personal links is written once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import survey_app

SOURCE = Path(survey_app.__file__).parent
STATES = "waiting|answered|declined|wrong_person|unreachable|objected|withdrawn"
FACTS = {
    "the mode": r'Final = "personal_link"$|[-=] \{?"personal_link"\}?',
    "the states": rf'Final = \(?"({STATES})"|\.state == "({STATES})"|^    "({STATES})": "[a-z]+",$',
    "the fewest to be asked": r"Final = 22$",
}


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_a_fact_is_written_once(fact: str) -> None:
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if "migrations" not in path.parts and re.search(fact, path.read_text("utf-8"), re.MULTILINE)
    }
    assert found <= {"responses/link_facts.py"}
