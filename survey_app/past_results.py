"""Figures of past years: whose they are, taken in, listed, taken out; the template to fill in. Floor 4.

What a file may hold is in `past_counts.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from analysis.notices import Audience
from form_definitions import Questionnaire
from survey_app.audit import act, record
from survey_app.database import db
from survey_app.definitions import library
from survey_app.exports.csv_writing import FRENCH as FRENCH_EXCEL
from survey_app.exports.csv_writing import CsvCell, write_csv
from survey_app.models import PastResult, QuestionnaireVersion, Survey
from survey_app.past_counts import Asked, PastResultsError, codes_in, read_counts
from survey_app.questionnaires import current_version, questionnaire_of

TEMPLATE_HEADINGS = (
    "Engagement",
    "Code de l’engagement",
    "Question",
    "Code de la question",
    "Favorables",
    "Base",
    "Population",
)


class YearExistsError(PastResultsError):
    """The year is already there: replacing it takes a word of confirmation."""


class Imported(NamedTuple):
    """What an import took in: how many lines, of which survey."""

    lines: int
    survey: str
    title: str


def names_of(survey_slug: str) -> dict[str, dict[str, str]]:
    """Code → title of the engagements (« commitment ») and questions (« item ») ever asked in a survey."""
    found: dict[str, dict[str, str]] = {"commitment": {}, "item": {}}
    for asked in _versions_of(survey_slug):
        if asked.framework in library().frameworks:
            known = library().frameworks[asked.framework].commitments
            found["commitment"] |= {code: str(commitment.title) for code, (_, commitment) in known.items()}
        found["commitment"] |= {commitment.code: commitment.title for commitment in asked.commitments}
        found["item"] |= {item.name: asked.questions[item.name] for item in asked.items}
    return found


def questions_of(survey_slug: str) -> dict[str, int]:
    """Engagement → the most questions that a version of the survey measured it by."""
    found: dict[str, int] = {}
    for asked in _versions_of(survey_slug):
        for code, number in Counter(item.commitment for item in asked.items if item.commitment).items():
            found[code] = max(number, found.get(code, 1))
    return found


def audience_of(survey_slug: str) -> Audience:
    """Whom the survey asks."""
    return next((asked.audience for asked in _versions_of(survey_slug)), "users")


def _versions_of(survey_slug: str) -> Iterator[Questionnaire]:
    query = select(QuestionnaireVersion).join(Survey, Survey.questionnaire_slug == QuestionnaireVersion.slug)
    query = query.where(Survey.slug == survey_slug).order_by(QuestionnaireVersion.published_at)
    return (questionnaire_of(version) for version in db.session.scalars(query))


def _asked(survey: Survey) -> Asked:
    return Asked(names_of(survey.slug), questions_of(survey.slug))


def surveys() -> Sequence[Survey]:
    """All surveys, by their titles."""
    return db.session.scalars(select(Survey).order_by(Survey.title, Survey.slug)).all()


def recognised(text: str) -> Survey:
    """The survey that asked what a file has figures of: the one that knows most of its codes.

    Where no other survey could be meant, unknown codes are no obstacle: the import names them then.
    """
    codes, known = codes_in(text), surveys()
    found = {survey.slug: sum(_asked(survey).knows(*pair) for pair in codes) for survey in known}
    most = max(found.values(), default=0)
    best = [survey for survey in known if found[survey.slug] == most]
    if len(best) == 1:
        return best[0]
    titles = ", ".join(f"«\u202f{survey.title}\u202f»" for survey in best)
    why = "plusieurs enquêtes connaissent ces codes" if most else "aucune enquête ne connaît ces codes"
    raise PastResultsError([f"Choisissez l’enquête\u00a0: {why} ({titles or 'aucune n’est publiée'})."])


def import_counts(
    survey_slug: str, year: int, title: str, text: str, *, source: str, actor: str, replace: bool = False
) -> Imported:
    """Take in the figures of one year of a survey; without its name, of the survey that the codes tell.

    A year that is already there is only replaced when `replace` says so.
    """
    with act() as transaction:
        survey = _survey(transaction, survey_slug, text)
        counts = read_counts(text, _asked(survey))
        if not replace and _has_year(transaction, survey.id, year):
            raise YearExistsError(
                [f"{year} existe déjà pour «\u202f{survey.title}\u202f»\u00a0: confirmez le remplacement."]
            )
        transaction.execute(
            delete(PastResult).where(PastResult.survey_id == survey.id, PastResult.year == year)
        )
        common = {"survey_id": survey.id, "year": year, "wave_title": title, "source": source}
        transaction.add_all(PastResult(**common, **vars(count)) for _, count in counts)
        record(transaction, "past-results-imported", actor=actor, subject=f"{survey.slug} {year}")
        return Imported(len(counts), survey.slug, survey.title)


def _survey(transaction: Session, slug: str, text: str) -> Survey:
    if not slug:
        return recognised(text)
    survey = transaction.scalars(select(Survey).where(Survey.slug == slug)).one_or_none()
    if survey is None:
        raise PastResultsError(["Choisissez une enquête de la liste."])
    return survey


def _has_year(transaction: Session, survey_id: int, year: int) -> bool:
    query = select(PastResult.id).where(PastResult.survey_id == survey_id, PastResult.year == year)
    return transaction.scalars(query.limit(1)).first() is not None


def past_results() -> Sequence[tuple[Survey, PastResult]]:
    """All imported figures, the latest year first."""
    query = select(Survey, PastResult).join(PastResult, PastResult.survey_id == Survey.id)
    query = query.order_by(PastResult.year.desc(), Survey.slug, PastResult.id)
    return [(survey, result) for survey, result in db.session.execute(query)]


def delete_year(survey_id: int, year: int, *, actor: str) -> None:
    """Take the figures of one year out again."""
    with act() as transaction:
        transaction.execute(
            delete(PastResult).where(PastResult.survey_id == survey_id, PastResult.year == year)
        )
        record(transaction, "past-results-deleted", actor=actor, subject=f"{survey_id} {year}")


def write_template(survey: Survey, stream: BinaryIO) -> None:
    """The file to fill in for a year: per engagement one line for its total, and one for each question."""
    version = current_version(survey.questionnaire_slug)
    asked = questionnaire_of(version) if version else None
    write_csv(stream, FRENCH_EXCEL, TEMPLATE_HEADINGS, _template_rows(asked) if asked else ())


def _template_rows(asked: Questionnaire) -> Iterator[list[CsvCell]]:
    empty: list[CsvCell] = [None, None, None]
    for commitment in asked.commitments:
        items = [item for item in asked.items if item.commitment == commitment.code]
        if items:
            yield [commitment.title, commitment.code, "(total de l’engagement)", None, *empty]
        for item in items:
            yield [commitment.title, commitment.code, asked.questions[item.name], item.name, *empty]
