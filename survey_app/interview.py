"""The trip through a questionnaire, page by page: what a page holds, what an answer changes. Floor 4.

Knows neither HTTP nor the database. The rules are those of ``form_definitions``; what is added here is only
what a page needs: which questions it may still show, and which of them the person has really seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from form_definitions import (
    Item,
    Questionnaire,
    RoutingContext,
    Section,
    check_answers,
    holds,
    relevant_items,
    soft_warnings,
)
from form_definitions.conditions import Condition
from survey_app.forms import build_form, fault_message

Answers = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One section as a page: what is in it, and what of it is hidden now."""

    section: Section
    items: frozenset[str]
    hidden: frozenset[str]
    conditions: dict[str, Condition]
    """What is left to decide in the page itself, by item."""

    def unseen(self, shown: Iterable[str]) -> frozenset[str]:
        """The questions nobody saw: conditional, and not among those that the page showed."""
        return self.items & self.conditions.keys() - set(shown)


@dataclass(frozen=True)
class Interview:
    """A questionnaire, where and how it is asked, and the answers so far."""

    questionnaire: Questionnaire
    digest: str
    context: RoutingContext
    answers: Answers

    def steps(self) -> tuple[Section, ...]:
        """The sections that have something to show, in order."""
        asked = {item.name for item in self._relevant()}
        return tuple(
            section
            for section in self.questionnaire.sections
            if any(item.name in asked for item in section.items)
        )

    def _relevant(self) -> tuple[Item, ...]:
        return relevant_items(self.questionnaire, self.answers, self.context)

    def section(self, name: str) -> Section:
        """The section of this name if it is on the path, else the first one."""
        steps = self.steps()
        return next((section for section in steps if section.name == name), steps[0])

    def neighbour(self, name: str, distance: int) -> Section | None:
        """The next (1) or the previous (-1) section on the path."""
        order = [section.name for section in self.questionnaire.sections]
        here = order.index(name) if name in order else -1
        path = [s for s in self.steps() if (order.index(s.name) - here) * distance > 0]
        return (path[0] if distance > 0 else path[-1]) if path else None

    def step(self, section: Section) -> Step:
        """The page of this section."""
        asked = {item.name for item in self._relevant()}
        own = {item.name for item in section.items}
        known = {name: answer for name, answer in self.answers.items() if name in asked - own}
        conditions: dict[str, Condition] = {}
        items: set[str] = set()
        for item in section.items:
            left = self._left_to_decide(item, known, items)
            if left is False:
                continue
            items.add(item.name)
            if left is not True:
                conditions[item.name] = left
        return Step(section, frozenset(items), frozenset(items - asked), conditions)

    def _left_to_decide(self, item: Item, known: Answers, in_page: set[str]) -> Condition | bool:
        if not self.context.admits(item):
            return False
        return True if item.relevant_if is None else remaining(item.relevant_if, known, in_page)

    def answered(self, step: Step, sent: MultiDict[str, str]) -> tuple[Interview, dict[str, str]]:
        """The interview with what one page sent, and what is wrong on this page, by field name.

        Questions that the page did not show keep the answers they had: they are off the path, never lost.
        """
        seen = step.items - step.unseen(sent.getlist("_shown"))
        form = build_form(self.questionnaire, self.digest)(sent, seen)
        form.validate()
        kept = {key: value for key, value in self.answers.items() if item_of(key) not in seen}
        after = Interview(self.questionnaire, self.digest, self.context, {**kept, **form.answers()})
        asked = {item.name for item in after._relevant()}
        faults = {name: texts[0] for name, texts in form.errors.items() if item_of(name) in asked & seen}
        return after, after._in_order(faults)

    def _in_order(self, faults: dict[str, str]) -> dict[str, str]:
        order = {item.name: place for place, item in enumerate(self.questionnaire.items)}
        return dict(sorted(faults.items(), key=lambda fault: order[item_of(fault[0])]))

    def unanswered_advised(self, step: Step) -> list[str]:
        """The questions of the page whose answer is advised and missing."""
        faults = soft_warnings(self.questionnaire, self.answers, self.context)
        return [fault.item_name for fault in faults if fault.item_name in step.items]

    def all_faults(self) -> dict[str, str]:
        """What is wrong anywhere on the path, by field name."""
        faults = check_answers(self.questionnaire, self.answers, self.context)
        told: dict[str, str] = {}
        for fault in faults:
            told.setdefault(fault.item_name, fault_message(fault))
        return told

    def section_of(self, item_name: str) -> Section:
        """The section that asks this item."""
        return next(
            section
            for section in self.questionnaire.sections
            if any(item.name == item_name for item in section.items)
        )


def item_of(key: str) -> str:
    """The item of a field: ``visit_reason.other`` is of ``visit_reason``."""
    return key.partition(".")[0]


def remaining(condition: Condition, known: Answers, undecided: set[str]) -> Condition | bool:
    """What is left of a condition once all items but ``undecided`` are settled; a truth value if nothing."""
    ((operator, operand),) = condition.items()
    if operator == "not":
        part = remaining(operand, known, undecided)
        return not part if isinstance(part, bool) else {"not": part}
    if operator in ("all", "any"):
        return _remaining_of(operator, [remaining(part, known, undecided) for part in operand])
    name = operand if isinstance(operand, str) else operand[0]
    return condition if name in undecided else holds(condition, known)


def _remaining_of(operator: str, parts: list[Condition | bool]) -> Condition | bool:
    decisive = operator == "any"
    if decisive in [part for part in parts if isinstance(part, bool)]:
        return decisive
    left = [part for part in parts if not isinstance(part, bool)]
    return {operator: left} if left else not decisive
