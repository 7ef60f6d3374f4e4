"""The answers of one person as a whole, checked against the path.

Keys and shapes are the table « Answers in JSON » of README.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from form_definitions.model import Item, Questionnaire
from form_definitions.question_types import (
    QUESTION_TYPES,
    SPECIFY_MAXIMUM_LENGTH,
    AnswerFault,
    text_faults,
)
from form_definitions.routing import RoutingContext, relevant_items


def specify_key(item: Item, option_code: str) -> str:
    """The key of the free text beside an option (« Autre, précisez »)."""
    return f"{item.name}.{option_code}"


def check_answers(
    questionnaire: Questionnaire, answers: Mapping[str, object], context: RoutingContext
) -> tuple[AnswerFault, ...]:
    """What is wrong with the answers to the items on the path, in their order, missing ones included.

    Answers off the path are not looked at; see :func:`form_definitions.routing.split_by_path`.
    """
    asked = relevant_items(questionnaire, answers, context)
    return tuple(fault for item in asked for fault in item_faults(item, answers))


def item_faults(item: Item, answers: Mapping[str, object]) -> Iterator[AnswerFault]:
    """What is wrong with the answer to one item, the texts beside its options included."""
    if item.name in answers:
        yield from QUESTION_TYPES[item.question_type].check(item, answers[item.name])
    elif item.requirement == "required":
        yield AnswerFault(item.name, "missing")
    for option in item.options:
        key = specify_key(item, option.code)
        if option.specify is not None and key in answers:
            yield from text_faults(key, answers[key], SPECIFY_MAXIMUM_LENGTH, one_line=True)


def soft_warnings(
    questionnaire: Questionnaire, answers: Mapping[str, object], context: RoutingContext
) -> tuple[AnswerFault, ...]:
    """The unanswered items on the path whose answer is advised: shown once, never in the way."""
    return tuple(
        AnswerFault(item.name, "advised")
        for item in relevant_items(questionnaire, answers, context)
        if item.requirement == "advised" and item.name not in answers
    )
