"""A questionnaire in one language, ready to draw. Made once per questionnaire, language and mode. Floor 4."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Protocol

from flask import current_app
from markupsafe import Markup, escape

from form_definitions import (
    LANGUAGES,
    SOURCE_LANGUAGE,
    CollectionMode,
    Grid,
    Item,
    Questionnaire,
    ResponseOption,
    Section,
    Translations,
    questionnaire_digest,
    specify_key,
)
from survey_app import i18n
from survey_app.forms import client_messages

KEPT_VIEWS: Final = 64
KEPT_DRAWINGS: Final = 32


class DrawnPage(Protocol):
    """What a question needs to know of the page it is drawn on (`rendering.Page`)."""

    @property
    def answers(self) -> Mapping[str, Any]: ...
    @property
    def errors(self) -> Mapping[str, str]: ...
    @property
    def hidden(self) -> frozenset[str]: ...
    @property
    def added(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Words:
    """Translates the texts of a questionnaire; a passage without translation says that it is French."""

    language: str
    translations: Translations

    def __call__(self, text: str | None) -> Markup | None:
        """The text as HTML, wrapped in ``<span lang dir>`` when it had to stay in another language."""
        if text is None:
            return None
        found, language = self._find(text)
        if language == self.language:
            return escape(found)
        direction = LANGUAGES[language].direction
        return Markup('<span lang="{}" dir="{}">{}</span>').format(language, direction, found)

    def plain(self, text: str) -> str:
        """The text for places that hold no markup (titles)."""
        return self._find(text)[0]

    def _find(self, text: str) -> tuple[str, str]:
        """The text and the language it is in. What the page itself says is in the other catalogue."""
        if self.language == SOURCE_LANGUAGE:
            return text, self.language
        ours = i18n.catalogue(self.language).messages
        found = self.translations.get(self.language, {}).get(text) or ours.get(text)
        return (found, self.language) if found else (text, SOURCE_LANGUAGE)


@dataclass(frozen=True, slots=True)
class OptionView:
    """One option, ready to draw."""

    code: str
    label: Markup | None
    specify: Markup | None
    face: int | None
    exclusive: bool
    apart: bool
    """Not an answer on the scale (« non concerné »): drawn apart from the others."""


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question, ready to draw."""

    item: Item
    name: str
    type: str
    requirement: str
    label: Markup | None
    help: Markup | None
    unit: Markup | None
    options: tuple[OptionView, ...]
    has_faces: bool
    degrees: int
    """How many options stand side by side on a scale."""
    macro: Callable[..., Markup]
    """The macro ``question`` of ``templates/items/<type>.html``."""
    specify_keys: tuple[str, ...]
    drawings: dict[tuple[bool, tuple[str, ...]], Markup] = field(default_factory=dict)
    """What was drawn before, by whether it is hidden and by the options chosen: there are few."""

    def draw(self, page: DrawnPage) -> Markup:
        """The question as HTML, kept where nothing but the chosen options makes it differ."""
        answer = page.answers.get(self.name, [])
        if self._is_particular(page) or not isinstance(answer, list):
            return self.macro(self, page)
        key = (self.name in page.hidden, tuple(answer))
        if key not in self.drawings:
            if len(self.drawings) >= KEPT_DRAWINGS:
                self.drawings.clear()
            self.drawings[key] = self.macro(self, page)
        return self.drawings[key]

    def _is_particular(self, page: DrawnPage) -> bool:
        if self.name in page.errors or self.name == page.added:
            return True
        return any(key in page.answers for key in self.specify_keys)


@dataclass(frozen=True, slots=True)
class GridView:
    """A group of questions under one heading."""

    name: str
    label: Markup | None
    help: Markup | None
    rows: tuple[QuestionView, ...]


@dataclass(frozen=True)
class SectionView:
    """One step, ready to draw."""

    section: Section
    name: str
    title: Markup | None
    plain_title: str
    introduction: Markup | None
    blocks: tuple[QuestionView | GridView, ...]
    untouched: dict[tuple[frozenset[str], frozenset[str]], Markup] = field(default_factory=dict)
    """The HTML of the section before any answer, by its questions and the hidden ones among them."""

    @cached_property
    def questions(self) -> tuple[QuestionView, ...]:
        """All questions in order, grid rows included."""
        groups = (block.rows if isinstance(block, GridView) else (block,) for block in self.blocks)
        return tuple(question for group in groups for question in group)

    @cached_property
    def labels(self) -> dict[str, Markup | None]:
        """What each question asks, by its name."""
        return {question.name: question.label for question in self.questions}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the questions."""
        return frozenset(question.name for question in self.questions)


@dataclass(frozen=True)
class QuestionnaireView:
    """A questionnaire in one language, ready to draw."""

    questionnaire: Questionnaire
    digest: str
    slug: str
    language: str
    direction: str
    mode: CollectionMode
    title: Markup | None
    plain_title: str
    description: Markup | None
    estimated_minutes: int
    sections: tuple[SectionView, ...]
    messages: dict[str, str]
    definitions: dict[tuple[str, ...], Markup] = field(default_factory=dict)
    """The JSON for the page's script, by the names of the items in it, where no condition is left open."""

    @cached_property
    def sections_by_name(self) -> dict[str, SectionView]:
        """The sections under their names."""
        return {section.name: section for section in self.sections}


_views: dict[tuple[int, int, str, str], tuple[QuestionnaireView, Translations]] = {}


def view_of(
    questionnaire: Questionnaire,
    translations: Translations,
    language: str,
    mode: CollectionMode,
    *,
    digest: str | None = None,
) -> QuestionnaireView:
    """The view of this questionnaire, made once for these very objects.

    ``digest``: where the page asks more than the published questionnaire (the site). Callers keep a published
    questionnaire in memory, so its identity is the cheapest key there is; the cache holds the objects too, so
    that an identity is never used again for another one.
    """
    key = (id(questionnaire), id(translations), language, mode)
    if key not in _views:
        while len(_views) >= KEPT_VIEWS:
            _views.pop(next(iter(_views)))
        view = _make_view(questionnaire, translations, language, mode, digest)
        _views[key] = (view, translations)
    return _views[key][0]


def _make_view(
    questionnaire: Questionnaire,
    translations: Translations,
    language: str,
    mode: CollectionMode,
    digest: str | None,
) -> QuestionnaireView:
    words = Words(language, translations)
    with i18n.speaking(language):
        return QuestionnaireView(
            questionnaire=questionnaire,
            digest=digest or questionnaire_digest(questionnaire),
            slug=questionnaire.slug,
            language=language,
            direction=LANGUAGES[language].direction,
            mode=mode,
            title=words(questionnaire.title),
            plain_title=words.plain(questionnaire.title),
            description=words(questionnaire.description),
            estimated_minutes=questionnaire.estimated_minutes,
            sections=tuple(
                _section_view(section, words, mode)
                for section in questionnaire.sections
                if section.modes is None or mode in section.modes
            ),
            messages=client_messages(),
        )


def _section_view(section: Section, words: Words, mode: CollectionMode) -> SectionView:
    return SectionView(
        section=section,
        name=section.name,
        title=words(section.title),
        plain_title=words.plain(section.title),
        introduction=words(section.introduction),
        blocks=tuple(_block_views(section, words, mode)),
    )


def _block_views(section: Section, words: Words, mode: CollectionMode) -> Iterable[QuestionView | GridView]:
    for block in section.blocks:
        items = block.items if isinstance(block, Grid) else (block,)
        views = tuple(_question_view(i, words) for i in items if i.modes is None or mode in i.modes)
        if isinstance(block, Grid) and views:
            yield GridView(block.name, words(block.label), words(block.help), views)
        else:
            yield from views


def _question_view(item: Item, words: Words) -> QuestionView:
    template = current_app.jinja_env.get_template(f"items/{item.question_type}.html")
    return QuestionView(
        item=item,
        name=item.name,
        type=item.question_type,
        requirement=item.requirement,
        label=words(item.label),
        help=words(item.help),
        unit=words(item.unit),
        options=tuple(_option_view(option, words) for option in item.options),
        has_faces=any(option.face for option in item.options),
        degrees=sum(option.role == "substantive" for option in item.options),
        macro=template.module.question,  # type: ignore[attr-defined]
        specify_keys=tuple(specify_key(item, option.code) for option in item.options if option.specify),
    )


def _option_view(option: ResponseOption, words: Words) -> OptionView:
    return OptionView(
        code=option.code,
        label=words(option.label),
        specify=words(option.specify),
        face=option.face,
        exclusive=option.exclusive,
        apart=option.exclusive or option.role != "substantive",
    )
