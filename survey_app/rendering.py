"""A questionnaire as a page: one template for website, tablet and paper. Floor 4.

The view of a questionnaire in one language is made once (``questionnaire_view.py``); a section that nobody
has touched yet is drawn once and kept as HTML. What is left for a request is the page around it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flask import current_app
from markupsafe import Markup

from form_definitions import CollectionMode, Item, Questionnaire, Translations
from form_definitions.language import LIMITS
from survey_app import i18n
from survey_app.questionnaire_view import QuestionnaireView, SectionView, view_of

__all__ = ["Page", "definition_json", "draw_section", "render_questionnaire", "view_of"]

KEPT_DRAWINGS: Final = 64
QUESTIONS: Final = "items/section.html"
"""Draws the questions of a section to be answered on a screen."""


@dataclass(frozen=True)
class Page:
    """What one page shows of a questionnaire, and with which answers."""

    sections: tuple[str, ...] | None = None
    """Names of the sections; None = all."""
    items: frozenset[str] | None = None
    """Names of the questions in the page, hidden ones included; None = all."""
    hidden: frozenset[str] = frozenset()
    answers: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    added: str | None = None
    """The question that has just become relevant and takes the focus."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """On paper, nothing hides a question: who answers it is said in words."""
    site: str = ""
    conditions: Mapping[str, Any] | None = None
    """What is left of the conditions of the items in the page; None = as in the definition."""
    drawn_by: str = QUESTIONS
    """The template with the macro ``blocks(blocks, page)``."""
    nothing_required: bool = False
    """A sheet typed in by staff: what the person left out stays out."""


def render_questionnaire(
    questionnaire: Questionnaire,
    translations: Translations,
    language: str,
    *,
    mode: CollectionMode,
    page: Page | None = None,
    digest: str | None = None,
    template: str = "questionnaire.html",
    **more: Any,
) -> str:
    """The whole HTML page; ``more`` goes to the template as it is."""
    page = page or Page()
    view = view_of(questionnaire, translations, language, mode, digest=digest)
    sections = _shown_sections(view, page)
    with i18n.speaking(language):
        return current_app.jinja_env.get_template(template).render(
            view=view,
            mode=mode,
            page=page,
            language=language,
            direction=view.direction,
            drawn=[(section, draw_section(section, page)) for section in sections],
            definition=definition_json(view, sections, page),
            **more,
        )


def _shown_sections(view: QuestionnaireView, page: Page) -> tuple[SectionView, ...]:
    if page.sections is None:
        return view.sections
    return tuple(view.sections_by_name[name] for name in page.sections if name in view.sections_by_name)


def draw_section(section: SectionView, page: Page) -> Markup:
    """The questions of a section; kept where neither an answer nor a fault makes them differ."""
    names = section.names
    if page.drawn_by != QUESTIONS:
        return _draw(section, page)
    if page.added or page.errors or any(key.partition(".")[0] in names for key in page.answers):
        return _draw(section, page)
    key = (names if page.items is None else names & page.items, names & page.hidden)
    if key not in section.untouched:
        if len(section.untouched) >= KEPT_DRAWINGS:
            section.untouched.clear()
        section.untouched[key] = _draw(section, page)
    return section.untouched[key]


def _draw(section: SectionView, page: Page) -> Markup:
    template = current_app.jinja_env.get_template(page.drawn_by)
    return template.module.blocks(section.blocks, page)  # type: ignore[attr-defined,no-any-return]


def definition_json(view: QuestionnaireView, sections: Sequence[SectionView], page: Page) -> Markup:
    """What the twins in the browser need to know, as JSON that is safe inside a script block."""
    if page.conditions != {}:
        return _definition_json(view, sections, page)
    names = (q.name for s in sections for q in s.questions if page.items is None or q.name in page.items)
    key = tuple(names)
    if key not in view.definitions:
        if len(view.definitions) >= KEPT_DRAWINGS:
            view.definitions.clear()
        view.definitions[key] = _definition_json(view, sections, page)
    return view.definitions[key]


def _definition_json(view: QuestionnaireView, sections: Iterable[SectionView], page: Page) -> Markup:
    known = {
        "sections": [_section_definition(section, page) for section in sections],
        "messages": view.messages,
    }
    text = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 (no "<" is left in it)


def _section_definition(section: SectionView, page: Page) -> dict[str, Any]:
    alone = page.conditions is not None
    own = {"sites": section.section.sites, "relevant_if": section.section.relevant_if}
    items = [
        _item_definition(q.item, page)
        for q in section.questions
        if page.items is None or q.name in page.items
    ]
    return _without_empty({"name": section.name, **({} if alone else own), "items": items})


def _item_definition(item: Item, page: Page) -> dict[str, Any]:
    condition = item.relevant_if if page.conditions is None else page.conditions.get(item.name)
    options = [
        _without_empty({"code": o.code, "exclusive": o.exclusive, "specify": o.specify is not None})
        for o in item.options
    ]
    return _without_empty(
        {
            "name": item.name,
            "type": item.question_type,
            "requirement": item.requirement,
            "relevant_if": condition,
            "sites": item.sites if page.conditions is None else None,
            "options": options,
            **{limit: getattr(item, limit) for limit in LIMITS},
        }
    )


def _without_empty(known: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in known.items() if value is not None and value is not False and value != []
    }
