"""Which items each response was asked: one routing per distinct path instead of one per response."""

from __future__ import annotations

from collections.abc import Mapping

from form_definitions.conditions import items_named
from form_definitions.model import CollectionMode, Item, Questionnaire, Section
from form_definitions.routing import RoutingContext, relevant_items


class AskedItems:
    """Remembers the path that each combination of routing answers leads to."""

    def __init__(self, questionnaire: Questionnaire) -> None:
        self._questionnaire = questionnaire
        self._deciding = _deciding_items(questionnaire)
        self._known: dict[object, frozenset[str]] = {}

    def of(self, mode: CollectionMode, site: str | None, answers: Mapping[str, object]) -> frozenset[str]:
        """The names of the items on the path of these answers."""
        key = (mode, site, *[_hashable(answers.get(name)) for name in self._deciding])
        if key not in self._known:
            path = relevant_items(self._questionnaire, answers, RoutingContext(mode, site))
            self._known[key] = frozenset(item.name for item in path)
        return self._known[key]


def _deciding_items(questionnaire: Questionnaire) -> tuple[str, ...]:
    parts: tuple[Section | Item, ...] = (*questionnaire.sections, *questionnaire.items)
    names = [name for part in parts if part.relevant_if for name in items_named(part.relevant_if)]
    return tuple(dict.fromkeys(names))


def _hashable(value: object) -> object:
    """Conditions look at the chosen codes, or only at whether there is an answer."""
    if isinstance(value, list):
        return tuple(str(code) for code in value)
    return value not in (None, "")
