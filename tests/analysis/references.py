"""Numbers computed by R and statsmodels, with the call that gave them (see data/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.rates import RespondentSums

Case = dict[str, Any]

_CASES: list[Case] = json.loads((Path(__file__).parent / "data/reference_cases.json").read_text("utf-8"))


def cases(family: str) -> list[Any]:
    """The cases of a family, as pytest parameters named by their id."""
    found = [pytest.param(case, id=case["id"]) for case in _CASES if case["family"] == family]
    assert found, family
    return found


def sums_of_dataset(name: str) -> RespondentSums:
    """The six sums of a data set's answers by respondent."""
    (columns,) = (case["inputs"]["columns"] for case in _CASES if case["id"] == name)
    people: dict[int, tuple[int, int]] = {}
    for respondent, answer in zip(columns["respondent"], columns["y"], strict=True):
        k, b = people.get(respondent, (0, 0))
        people[respondent] = (k + answer, b + 1)
    return RespondentSums.of(people.values())


def near(case: Case, key: str) -> Any:
    """The expected number within the case's tolerance."""
    tolerance = case["tol"]
    return pytest.approx(case["expected"][key], abs=tolerance.get("abs"), rel=tolerance.get("rel"))
