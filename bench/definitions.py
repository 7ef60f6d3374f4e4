"""Reading a questionnaire: YAML, full check and model, against the fastest YAML parser and bare models."""

from __future__ import annotations

import yaml

from bench.measure import Section, rounds, slower_than
from form_definitions import Questionnaire, canonical_json, load_library, load_questionnaire
from form_definitions.library import FOLDER

ROUNDS = 25


def measure() -> Section:
    """Load and check the users' questionnaire, the shared library read beforehand on both sides."""
    path = FOLDER / "questionnaires" / "users.yaml"
    text, library = path.read_text(encoding="utf-8"), load_library()
    values = Questionnaire.model_validate_json(_model_json(load_questionnaire(path))).model_dump()

    def floor() -> None:
        yaml.load(text, Loader=yaml.CSafeLoader)
        Questionnaire.model_validate(values)

    ours, bare = rounds(lambda: load_questionnaire(path, library=library), floor, ROUNDS)
    line = slower_than("load and check `users.yaml`", ours, bare, at_most=3)
    note = "Floor: `yaml.CSafeLoader` on the same text, then pydantic on the finished values."
    return Section("Definitions", note, [line])


def _model_json(questionnaire: Questionnaire) -> str:
    assert canonical_json(questionnaire)  # noqa: S101 (what is measured is a publishable questionnaire)
    return questionnaire.model_dump_json()
