"""Definitions in the form of the page's JSON, as the models that Python uses; and short ways to YAML."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from form_definitions import Item, Questionnaire, ResponseOption, Section
from form_definitions.library import Library, load_library
from form_definitions.loader import CheckedSource, check_source

FIXTURES = Path(__file__).parent / "fixtures"


def item_from(definition: dict[str, Any]) -> Item:
    """An Item from one item of the page's JSON."""
    options = tuple(
        ResponseOption(
            code=option["code"],
            label=option["code"],
            exclusive=option["exclusive"],
            specify="Précisez" if option["specify"] else None,
        )
        for option in definition["options"]
    )
    kept = {key: value for key, value in definition.items() if key not in ("type", "options")}
    return Item(question_type=definition["type"], label=definition["name"], options=options, **kept)


def questionnaire_from(definition: dict[str, Any]) -> Questionnaire:
    """A Questionnaire from the page's JSON."""
    sections = tuple(
        Section(
            title=section["name"],
            blocks=tuple(item_from(item) for item in section["items"]),
            **{key: section[key] for key in ("name", "sites", "modes", "relevant_if")},
        )
        for section in definition["sections"]
    )
    return Questionnaire(
        slug="twin",
        title="Twin",
        framework="none",
        estimated_minutes=1,
        modes=("tablet", "website"),
        sites=("hall", "digital", "remote"),
        commitments=(),
        sections=sections,
    )


def library() -> Library:
    """The small scales, framework and organisation of the fixtures."""
    return load_library(FIXTURES)


HEAD = """\
questionnaire: essai
title: Un essai
framework: small
estimated_minutes: 1
modes: [tablet, website]
sites: [hall, remote]
"""


def check_questions(questions: str, *, head: str = HEAD) -> CheckedSource:
    """Check the YAML of some questions, put into one section of a small questionnaire."""
    body = "".join(f"      {line}\n" for line in dedent(questions).strip("\n").splitlines())
    text = f"{head}sections:\n  - section: only\n    title: Une rubrique\n    questions:\n{body}"
    return check_source(text, name="essai.yaml", library=library())


def loaded(questions: str, *, head: str = HEAD) -> Questionnaire:
    """The questionnaire of check_questions; fails when there is any fault."""
    checked = check_questions(questions, head=head)
    assert checked.questionnaire is not None, [str(fault) for fault in checked.faults]
    return checked.questionnaire
