"""What the public can answer now: open waves, and the published questionnaires they ask. Floor 4."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from form_definitions import (
    LANGUAGES,
    SOURCE_LANGUAGE,
    Item,
    Questionnaire,
    ResponseOption,
    Section,
    Translations,
    bundle_digest,
    from_canonical,
)
from survey_app import definitions
from survey_app.database import db
from survey_app.i18n import catalogue
from survey_app.models import QuestionnaireVersion, Survey, Wave, last_day_of
from survey_app.prepared import Prepared

SITE_ITEM: Final = "_site"
"""The question that asks where, when the address does not say so."""
SITE_TITLE: Final = "Pour commencer"
SITE_LABEL: Final = "Comment avez-vous été en contact avec nous\u202f?"
SITE_HELP: Final = "Pensez à votre dernier contact."
KEPT_VERSIONS: Final = 32


@dataclass(frozen=True)
class OpenWave:
    """An edition that takes answers today."""

    id: str
    slug: str
    title: str
    digest: str
    sites: tuple[str, ...]
    languages: tuple[str, ...]
    modes: tuple[str, ...]
    synthetic: bool
    opens_on: dt.date
    closes_on: dt.date
    published_at: dt.datetime
    """When its questionnaire was, or the translations of it."""
    closed_at: dt.datetime | None

    @property
    def last_day(self) -> dt.date:
        """The last day that it asks or asked."""
        return last_day_of(self.opens_on, self.closes_on, self.closed_at)


_COLUMNS: Final = (
    Wave.id,
    Survey.slug,
    Survey.title,
    Wave.questionnaire_digest.label("digest"),
    Wave.sites,
    Wave.languages,
    Wave.modes,
    Wave.synthetic,
    Wave.opens_on,
    Wave.closes_on,
    QuestionnaireVersion.published_at,
    Wave.closed_at,
)
_WITH_SURVEY_AND_VERSION: Final = (
    sa.select(*_COLUMNS)
    .join(Survey, Wave.survey_id == Survey.id)
    .join(QuestionnaireVersion, Wave.questionnaire_digest == QuestionnaireVersion.digest)
)


# Written once: making a statement costs more than running it.
_TODAY: Final = sa.bindparam("today", type_=sa.Date)
_OPEN: Final = _WITH_SURVEY_AND_VERSION.where(
    Wave.state == "open", Wave.opens_on <= _TODAY, Wave.closes_on >= _TODAY
).order_by(Wave.opens_on.desc(), Wave.id)
_ALL_OPEN: Final = Prepared(lambda _: _OPEN)
_OPEN_OF_SURVEY: Final = Prepared(lambda _: _OPEN.where(Survey.slug == sa.bindparam("slug", type_=sa.String)))
_PUBLISHED_AT: Final = Prepared(
    lambda _: sa.select(QuestionnaireVersion.published_at).where(
        QuestionnaireVersion.digest == sa.bindparam("digest", type_=sa.String)
    )
)


_UNSEALED: Final = (
    _WITH_SURVEY_AND_VERSION.where(Wave.state.in_(("open", "closed")), Wave.opens_on <= _TODAY)
    .where(Survey.slug == sa.bindparam("slug", type_=sa.String))
    .order_by(Wave.opens_on.desc(), Wave.id)
)


def open_waves(mode: str, today: dt.date, *, slug: str | None = None) -> list[OpenWave]:
    """The open waves that collect in this mode, the newest first; ``slug``: of one survey only."""
    found = (
        _OPEN_OF_SURVEY.read(db.engine, today=today, slug=slug)
        if slug
        else _ALL_OPEN.read(db.engine, today=today)
    )
    rows = [row._asdict() for row in found]
    return [_open_wave(row) for row in rows if mode in row["modes"]]


def unsealed_waves(mode: str, today: dt.date, *, slug: str) -> list[OpenWave]:
    """The waves of a survey that have begun and still take what was answered in time, the newest first."""
    rows = db.session.execute(_UNSEALED, {"today": today, "slug": slug}).mappings()
    return [_open_wave(dict(row)) for row in rows if mode in row["modes"]]


def _open_wave(row: dict[str, Any]) -> OpenWave:
    languages = [code for code in LANGUAGES if code in (row["languages"] or (SOURCE_LANGUAGE,))]
    lists = {"sites": tuple(row["sites"]), "languages": tuple(languages), "modes": tuple(row["modes"])}
    return OpenWave(**{**row, **lists})


@dataclass(frozen=True)
class Published:
    """A published questionnaire in memory, with its translations."""

    digest: str
    questionnaire: Questionnaire
    translations: Translations
    with_site: dict[tuple[str, ...], Questionnaire] = field(default_factory=dict)
    first_pages: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    """The form just opened, drawn, by all that makes a difference to it."""

    def bundle_digest(self) -> str:
        """The digest of the questionnaire with its translations."""
        if self.digest not in _bundle_digests:
            _bundle_digests[self.digest] = bundle_digest(self.questionnaire, self.translations)
        return _bundle_digests[self.digest]

    def asking_site(self, sites: Sequence[str]) -> Questionnaire:
        """The same questionnaire with the question « where » before all others."""
        key = tuple(sites)
        if key not in self.with_site:
            first = site_section(key)
            sections = (first, *self.questionnaire.sections)
            self.with_site[key] = self.questionnaire.model_copy(update={"sections": sections})
        return self.with_site[key]

    def sites(self, wave_sites: Sequence[str]) -> tuple[str, ...]:
        """The sites that the questionnaire and the wave have in common."""
        return tuple(site for site in self.questionnaire.sites if site in wave_sites or not wave_sites)


_versions: dict[tuple[str, dt.datetime, Path | None], Published] = {}
_bundle_digests: dict[str, str] = {}


def published(digest: str) -> Published | None:
    """The questionnaire of this digest, read from the database once; None when it was never published here.

    Publishing a corrected translation under the same digest must move ``published_at``.
    """
    found = _PUBLISHED_AT.read(db.engine, digest=digest)
    return _kept(digest, found[0].published_at) if found else None


def published_in(wave: OpenWave) -> Published:
    """The questionnaire that a wave asks, without another look into the database."""
    return _kept(wave.digest, wave.published_at)


def _kept(digest: str, published_at: dt.datetime) -> Published:
    key = (digest, published_at, definitions.folder())
    if key not in _versions:
        if len(_versions) >= KEPT_VERSIONS:
            _versions.clear()
        _bundle_digests.pop(digest, None)
        _versions[key] = _read(digest)
    return _versions[key]


def _read(digest: str) -> Published:
    version = db.session.get_one(QuestionnaireVersion, digest)
    ours = definitions.translations()
    languages = {*ours, *version.translations}
    # The organisation's own texts (sites, notice) are in this installation's catalogue; the version's win.
    texts = {
        code: {**_site_question(code), **ours.get(code, {}), **version.translations.get(code, {})}
        for code in languages
    }
    return Published(digest, from_canonical(version.canonical), texts)


def _site_question(language: str) -> dict[str, str]:
    """The words of the question about the site, which is the website's own and in no questionnaire."""
    known = catalogue(language).messages
    return {text: known[text] for text in (SITE_TITLE, SITE_LABEL, SITE_HELP) if text in known}


def site_section(sites: tuple[str, ...]) -> Section:
    """The first page of the website where the address does not say which site is meant."""
    known = definitions.organisation().sites_by_code
    options = tuple(
        ResponseOption(code=code, label=known[code].public_label if code in known else code) for code in sites
    )
    question = Item(
        name=SITE_ITEM,
        question_type="single_choice",
        label=SITE_LABEL,
        help=SITE_HELP,
        requirement="required",
        options=options,
    )
    return Section(name=SITE_ITEM, title=SITE_TITLE, blocks=(question,))
