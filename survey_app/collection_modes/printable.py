"""A questionnaire on A4: all of it, with who answers what in words. Floor 5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, abort, make_response, request
from markupsafe import Markup

from form_definitions import CollectionMode, Item, Questionnaire, RoutingContext, Section
from form_definitions.conditions import items_named
from survey_app.clock import today_in_paris
from survey_app.collection_modes.public_pages import private, speak, words
from survey_app.condition_sentences import sentence_of
from survey_app.definitions import organisation
from survey_app.open_waves import OpenWave, Published, open_waves, published
from survey_app.rendering import Page, render_questionnaire


@dataclass(frozen=True)
class Sheet:
    """One questionnaire on paper: which wave, which site, in which language."""

    wave: OpenWave
    version: Published
    language: str
    site: str | None
    mode: CollectionMode = "paper"

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites to choose from."""
        return self.version.sites(self.wave.sites)

    def questionnaire(self) -> Questionnaire:
        """What is asked."""
        return self.version.questionnaire

    def items(self) -> frozenset[str]:
        """Every question that this site may be asked, conditional ones included."""
        context = RoutingContext(self.mode, self.site)
        sections = [section for section in self.questionnaire().sections if context.admits(section)]
        return frozenset(item.name for s in sections for item in s.items if context.admits(item))

    def page(self, **more: Any) -> Page:
        """All of it on one page, nothing hidden."""
        items = self.items()
        asked = [s.name for s in self.questionnaire().sections if any(i.name in items for i in s.items)]
        return Page(sections=tuple(asked), items=items, site=self.site or "", **more)


def find_sheet(slug: str, language: str, mode: CollectionMode) -> Sheet:
    """The sheet of the open wave, or 404."""
    wave = next(iter(open_waves(mode, today_in_paris(), slug=slug)), None)
    return sheet_of(wave, wave.digest if wave else "", language, mode)


def sheet_of(wave: OpenWave | None, digest: str, language: str, mode: CollectionMode = "paper") -> Sheet:
    """The sheet of this wave in this version, or 404."""
    speak(language)
    version = published(digest) if wave else None
    if wave is None or version is None or language not in wave.languages:
        abort(404)
    sites = version.sites(wave.sites)
    asked = request.args.get("site")
    site = asked if asked in sites else (sites[0] if len(sites) == 1 else None)
    return Sheet(wave, version, language, site, mode)


def draw_printable(sheet: Sheet, template: str) -> Response:
    """The sheet to print."""
    drawn = sheet.page(hints=_hints(sheet), drawn_by="paper/questions.html")
    sections = {
        section.name: hint for section in sheet.questionnaire().sections if (hint := _hint(sheet, section))
    }
    site = public_name(sheet.site) if sheet.site else None
    return draw(sheet, drawn, template=template, site=site, section_hints=sections)


def _hints(sheet: Sheet) -> dict[str, str]:
    """Who answers each question that not all are asked."""
    hints = {item.name: _hint(sheet, item) for item in sheet.questionnaire().items}
    return {name: hint for name, hint in hints.items() if hint}


def _hint(sheet: Sheet, part: Item | Section) -> str:
    """Empty also where the condition looks at questions that are not on this sheet."""
    condition = part.relevant_if
    if condition is None or not sheet.items().intersection(items_named(condition)):
        return ""
    return sentence_of(condition, sheet.questionnaire(), sheet.version.translations, sheet.language)


def draw(sheet: Sheet, drawn: Page, *, template: str, status: int = 200, **more: Any) -> Response:
    """The sheet on the screen."""
    html = render_questionnaire(
        sheet.questionnaire(),
        sheet.version.translations,
        sheet.language,
        mode=sheet.mode,
        digest=sheet.version.digest,
        page=drawn,
        template=template,
        **more,
    )
    return private(make_response(html, status))


def public_name(site: str) -> Markup | None:
    """The site as the public is asked for it, in the language of the page."""
    known = organisation().sites_by_code.get(site)
    return words()(known.public_label if known else site)
