"""What one answer amounts to: favourable, unfavourable, or one of four absences (rule S1).

``polarity`` says how a question is worded; ``favourable`` always lists the favourable options themselves, so
that a reader never has to turn anything around.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from form_definitions.model import Item, ResponseOption


class Outcome(IntEnum):
    """What an answer counts as; also the order of an item's first six counters."""

    FAVOURABLE = 0
    UNFAVOURABLE = 1
    NOT_APPLICABLE = 2
    NO_OPINION = 3
    UNANSWERED = 4
    OFF_PATH = 5


OUTCOME_NAMES = tuple(outcome.name.lower() for outcome in Outcome)

SCORES = range(11)
"""The notes of a recommendation question."""

LARGEST_NUMBER = 10**9
"""Larger numbers count as unanswered: a sum over 10⁹ responses still fits in 64 bits."""


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """One answer as counters see it: its outcome, the positions of the codes chosen, its number."""

    outcome: Outcome
    positions: tuple[int, ...] = ()
    number: int = 0


UNANSWERED = ReadAnswer(Outcome.UNANSWERED)


@dataclass(frozen=True)
class ItemReader:
    """Reads the answers to one item. ``codes`` maps each code that may be chosen to what it counts as."""

    name: str
    codes: Mapping[str, Outcome]
    takes_several: bool = False
    sums_numbers: bool = False

    def read(self, value: object) -> ReadAnswer:
        """What a value of a record's JSON amounts to. Unknown codes and odd shapes are no answer."""
        raise NotImplementedError


@dataclass(frozen=True)
class ChoiceReader(ItemReader):
    """Choices among options: a list of codes, also for a single choice."""

    exclusive: frozenset[str] = frozenset()

    def read(self, value: object) -> ReadAnswer:
        """The outcome of the options chosen; options that contradict each other say nothing."""
        if not isinstance(value, list):
            return UNANSWERED
        if len(value) == 1:
            return self._alone.get(value[0], UNANSWERED) if isinstance(value[0], str) else UNANSWERED
        if self._contradicts_itself(value):
            return UNANSWERED
        known = [code for code in self.codes if code in value]
        if not known:
            return UNANSWERED
        # In a multiple choice one favourable option is enough, and any evaluation outweighs an absence:
        # the smallest outcome is the one that counts.
        positions = tuple(position for code in known for position in self._alone[code].positions)
        return ReadAnswer(min(self.codes[code] for code in known), positions)

    def _contradicts_itself(self, codes: list[object]) -> bool:
        return not self.takes_several or any(code in codes for code in self.exclusive)

    @cached_property
    def _alone(self) -> Mapping[str, ReadAnswer]:
        """What each option amounts to when it is the only one chosen: nearly always so, hence prepared."""
        return {
            code: ReadAnswer(outcome, (position,))
            for position, (code, outcome) in enumerate(self.codes.items())
        }


@dataclass(frozen=True)
class NumberReader(ItemReader):
    """Whole numbers within the item's bounds; notes from 0 to 10 are counted one by one too."""

    minimum: int = -LARGEST_NUMBER
    maximum: int = LARGEST_NUMBER

    def read(self, value: object) -> ReadAnswer:
        """The number; one out of bounds, or no whole number, is no answer."""
        number = _whole_number(value)
        if number is None or not self.minimum <= number <= self.maximum:
            return UNANSWERED
        if not self.codes:
            return ReadAnswer(Outcome.UNFAVOURABLE, number=number)
        return ReadAnswer(self.codes[str(number)], (number,), number)


def _whole_number(value: object) -> int | None:
    """12 and 12.0 are the same number in JSON; a truth value is none, nor is NaN."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


@dataclass(frozen=True)
class TextReader(ItemReader):
    """Free text: only whether there is any."""

    def read(self, value: object) -> ReadAnswer:
        """Counts as expressed when it is not blank."""
        expressed = isinstance(value, str) and value.strip() != ""
        return ReadAnswer(Outcome.UNFAVOURABLE) if expressed else UNANSWERED


def item_reader(item: Item) -> ItemReader | None:
    """The reader for an item of a questionnaire; None for an information note."""
    if item.question_type == "note":
        return None
    if item.options:
        codes = {option.code: option_outcome(item, option) for option in item.options}
        exclusive = frozenset(option.code for option in item.options if option.exclusive)
        several = item.question_type == "multiple_choice"
        return ChoiceReader(item.name, codes, takes_several=several, exclusive=exclusive)
    if item.question_type == "recommendation":
        codes = {str(score): _rated(item, str(score)) for score in SCORES}
        return NumberReader(item.name, codes, sums_numbers=True, minimum=SCORES[0], maximum=SCORES[-1])
    if item.question_type == "number":
        low = -LARGEST_NUMBER if item.minimum is None else max(item.minimum, -LARGEST_NUMBER)
        high = LARGEST_NUMBER if item.maximum is None else min(item.maximum, LARGEST_NUMBER)
        return NumberReader(item.name, {}, sums_numbers=True, minimum=low, maximum=high)
    return TextReader(item.name, {})


def option_outcome(item: Item, option: ResponseOption) -> Outcome:
    """What choosing this option counts as: its declared role first, then the item's rate rule."""
    if option.role == "not_applicable":
        return Outcome.NOT_APPLICABLE
    if option.role == "no_opinion":
        return Outcome.NO_OPINION
    return _rated(item, option.code)


def _rated(item: Item, code: str) -> Outcome:
    """A substantive answer under the rate rule; without a rule it is expressed, and never favourable."""
    if item.rate is None:
        return Outcome.UNFAVOURABLE
    if code in item.rate.excluded:
        return Outcome.NOT_APPLICABLE
    return Outcome.FAVOURABLE if code in item.rate.favourable else Outcome.UNFAVOURABLE
