"""How long a questionnaire takes, by rule of thumb: to hold against the duration that it announces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from form_definitions.errors import Report
from form_definitions.model import Grid, Item, Questionnaire
from form_definitions.question_types import QUESTION_TYPES
from form_definitions.reading import Record
from form_definitions.routing import RoutingContext

SOMETIMES: Final = 0.5
"""The weight of what only some people are asked, or write: a condition, an optional text."""
FURTHER_ROW: Final = 0.6
"""A further row of a grid is read faster than its first: the scale is known."""
FAR: Final = 1.75
"""Announced and expected may differ by so much, or by ``SLACK`` minutes: people read at their own pace."""
SLACK: Final = 1.5


def expected_minutes(questionnaire: Questionnaire) -> float:
    """What a person needs where most is asked: the site and collection mode with the longest way."""
    places = [RoutingContext(mode, site) for mode in questionnaire.modes for site in questionnaire.sites]
    return max((sum(_seconds(questionnaire, place)) for place in places), default=0.0) / 60


def _seconds(questionnaire: Questionnaire, place: RoutingContext) -> Iterator[float]:
    for section in questionnaire.sections:
        if not place.admits(section):
            continue
        weight = 1.0 if section.relevant_if is None else SOMETIMES
        for block in section.blocks:
            rows = block.items if isinstance(block, Grid) else (block,)
            asked = [item for item in rows if place.admits(item)]
            for number, item in enumerate(asked):
                yield weight * _seconds_of(item) * (FURTHER_ROW if number else 1.0)


def _seconds_of(item: Item) -> float:
    kind = QUESTION_TYPES[item.question_type]
    skipped = item.relevant_if is not None or (kind.free_text and item.requirement == "optional")
    return kind.seconds * (SOMETIMES if skipped else 1.0)


def report_duration(questionnaire: Questionnaire, record: Record, report: Report) -> None:
    """Warn where the announced duration is far from what the questions take."""
    announced, expected = questionnaire.estimated_minutes, expected_minutes(questionnaire)
    if abs(announced - expected) <= SLACK or expected / FAR <= announced <= expected * FAR:
        return
    node = record.where("estimated_minutes")
    report.add("duration_far", node.line, node.column, announced=announced, expected=max(1, round(expected)))
