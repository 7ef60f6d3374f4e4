"""Which items a person is asked, given the site, the collection mode and the answers so far.

The TypeScript twin is ``survey_app/client/src/routing.ts``; ``tests/conformance/routing.json`` holds both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from form_definitions.conditions import holds
from form_definitions.model import CollectionMode, Item, Questionnaire, Section


@dataclass(frozen=True)
class RoutingContext:
    """What is known before the first answer. ``site`` is None until it is chosen."""

    mode: CollectionMode
    site: str | None = None

    def admits(self, part: Item | Section) -> bool:
        """Whether a section or item is meant for this site and this mode (before any condition)."""
        for_site = part.sites is None or self.site in part.sites
        return for_site and (part.modes is None or self.mode in part.modes)


def relevant_items(
    questionnaire: Questionnaire, answers: Mapping[str, object], context: RoutingContext
) -> tuple[Item, ...]:
    """The items on the path, notes included, in order.

    One pass suffices: a condition may name earlier items only, and one off the path counts as not answered.
    """
    on_path: list[Item] = []
    known: dict[str, object] = {}
    for section in questionnaire.sections:
        if not context.admits(section) or not _relevant(section, known):
            continue
        for item in section.items:
            if context.admits(item) and _relevant(item, known):
                on_path.append(item)
                if item.name in answers:
                    known[item.name] = answers[item.name]
    return tuple(on_path)


def _relevant(part: Item | Section, known: Mapping[str, object]) -> bool:
    return part.relevant_if is None or holds(part.relevant_if, known)


def split_by_path(
    questionnaire: Questionnaire, answers: Mapping[str, object], context: RoutingContext
) -> tuple[dict[str, object], dict[str, object]]:
    """``(on_path, off_path)``: the answers to items that were asked, and the others (kept, never counted).

    The text beside an option (key ``item.option``) goes with its item; it is off the path too when that
    option is not chosen. Unknown names are off the path.
    """
    asked = {item.name for item in relevant_items(questionnaire, answers, context)}
    on_path: dict[str, object] = {}
    off_path: dict[str, object] = {}
    for key, value in answers.items():
        (on_path if _belongs(key, asked, answers) else off_path)[key] = value
    return on_path, off_path


def _belongs(key: str, asked: set[str], answers: Mapping[str, object]) -> bool:
    name, _, option = key.partition(".")
    if name not in asked:
        return False
    chosen = answers.get(name)
    return not option or (isinstance(chosen, list) and option in chosen)
