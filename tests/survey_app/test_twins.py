"""Random questionnaires: Python and TypeScript must ask the same questions and keep the same answers."""

from __future__ import annotations

import json
import random
import subprocess
from typing import Any

import pytest

from form_definitions import (
    Item,
    Questionnaire,
    ResponseOption,
    RoutingContext,
    Section,
    relevant_items,
    split_by_path,
)
from tests.node_process import CLIENT, node

SCRIPT = ["--import", "tsx", "test/twin_answers.ts"]
# Names that exist on every JavaScript object: an item may be called so.
NAMES = ("constructor", "tostring", "valueof", "length", "prototype", "keys", "a", "b", "c", "d", "e", "f")
OPTIONS = ("yes", "no", "constructor", "other")
SITES = ("hall", "desk")
MODES: tuple[Any, ...] = ("tablet", "website")


def a_condition(chance: random.Random, known: list[str], depth: int = 0) -> dict[str, Any]:
    operators = ["answered", "is", "any_of"] if known else []
    operators += ["all", "any", "not"] if depth < 3 else ["all"] if not operators else []
    operator = chance.choice(operators)
    if operator == "not":
        return {"not": a_condition(chance, known, depth + 1)}
    if operator in ("all", "any"):
        size = chance.randint(0, 3) if depth < 3 else 0
        return {operator: [a_condition(chance, known, depth + 1) for _ in range(size)]}
    item = chance.choice(known)
    if operator == "answered":
        return {"answered": item}
    if operator == "is":
        return {"is": [item, chance.choice(OPTIONS)]}
    return {"any_of": [item, chance.sample(OPTIONS, chance.randint(1, 3))]}


def some_of(chance: random.Random, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    return chance.choice([None] * 7 + [values, values[:1], values[1:]])


def maybe(chance: random.Random, known: list[str]) -> dict[str, Any] | None:
    return a_condition(chance, known) if chance.random() < 0.4 else None


def a_questionnaire(chance: random.Random) -> Questionnaire:
    names = chance.sample(NAMES, chance.randint(2, len(NAMES)))
    sections, known = [], list[str]()
    for number in range(chance.randint(1, 3)):
        own, names = names[: len(names) // 2 + 1], names[len(names) // 2 + 1 :]
        condition = maybe(chance, known)
        blocks = []
        for name in own:
            blocks.append(an_item(chance, name, known))
            known.append(name)
        limits = {"sites": some_of(chance, SITES), "modes": some_of(chance, MODES)}
        sections.append(
            Section(name=f"s{number}", title="S", blocks=tuple(blocks), relevant_if=condition, **limits)
        )
    return Questionnaire(
        slug="q",
        title="Q",
        framework="f",
        estimated_minutes=1,
        modes=MODES,
        sites=SITES,
        commitments=(),
        sections=tuple(sections),
    )


def an_item(chance: random.Random, name: str, known: list[str]) -> Item:
    kind = chance.choice(["single_choice", "multiple_choice", "number", "long_text", "note"])
    options = tuple(ResponseOption(code=code, label=code) for code in OPTIONS) if "choice" in kind else ()
    return Item(
        name=name,
        question_type=kind,
        label=name,
        options=options,
        relevant_if=maybe(chance, known),
        sites=some_of(chance, SITES),
        modes=some_of(chance, MODES),
    )


def some_answers(chance: random.Random, questionnaire: Questionnaire) -> dict[str, Any]:
    possible: list[Any] = [["yes"], ["no", "other"], [], "text", "", 0, 7]
    answers = {item.name: chance.choice(possible) for item in questionnaire.items if chance.random() < 0.7}
    answers |= {f"{name}.other": "beside" for name in list(answers) if chance.random() < 0.4}
    return answers | ({"nobody": ["yes"]} if chance.random() < 0.2 else {})


def as_definition(questionnaire: Questionnaire) -> dict[str, Any]:
    """The part of the page's JSON that routing reads."""
    kept = ("name", "sites", "modes", "relevant_if")
    sections = []
    for section in questionnaire.sections:
        items = [
            {**{key: getattr(item, key) for key in kept}, "type": item.question_type}
            for item in section.items
        ]
        sections.append({**{key: getattr(section, key) for key in kept}, "items": items})
    return {"sections": sections}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_twins_route_random_questionnaires_alike(seed: int) -> None:
    chance = random.Random(seed)
    cases, expected = [], []
    for _ in range(600):
        questionnaire = a_questionnaire(chance)
        answers = some_answers(chance, questionnaire)
        context = RoutingContext(mode=chance.choice(MODES), site=chance.choice([None, *SITES]))
        asked = [item.name for item in relevant_items(questionnaire, answers, context)]
        expected.append({"asked": asked, "on_path": split_by_path(questionnaire, answers, context)[0]})
        context_json = {"mode": context.mode, "site": context.site}
        cases.append(
            {"definition": as_definition(questionnaire), "answers": answers, "context": context_json}
        )
    assert sum(len(result["asked"]) for result in expected) > 900, "the cases ask too little to show anything"
    assert answered_by_typescript(cases) == expected


def answered_by_typescript(cases: list[dict[str, Any]]) -> Any:
    run = subprocess.run(
        [node(), *SCRIPT], cwd=CLIENT, input=json.dumps(cases), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
