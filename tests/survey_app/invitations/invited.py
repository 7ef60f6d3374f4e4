"""Waves by personal link for the tests: officials in a frozen frame, their invitations, their answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from form_definitions import Questionnaire, from_canonical, questionnaire_digest
from survey_app.database import db, write_transaction
from survey_app.invitation_models import Invitation
from survey_app.invitations import redemption
from survey_app.invitations.preparing import prepare_links
from survey_app.models import QuestionnaireVersion, Response, Survey, Wave, WaveQuestionnaire
from tests.survey_app import records
from tests.survey_app.frozen_list import a_unit, freeze, strata_of

WAVE = "elus-2026"
NOW = dt.datetime(2026, 3, 10, 9, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 3, 10)
STRATA = {"niort": 0.47, "parthenay": 0.31, "bressuire": 0.22}
"""Shares of the 256 communes, by arrondissement."""
ASKED = records.a_questionnaire(slug="elus", title="Élus", modes=("personal_link",), sites=("a_distance",))
ANSWERS: dict[str, Any] = {"visited": ["yes"], "courtesy": ["good"], "waiting": ["bad"], "minutes": 12}


def stratum_of(place: int, people: int) -> str:
    """Like a list of communes: one arrondissement after the other."""
    reached = 0.0
    for code, share in STRATA.items():
        reached += share
        if place < reached * people:
            return code
    return code


def a_wave(
    people: int = 30,
    *,
    questionnaire: Questionnaire = ASKED,
    digest: str | None = None,
    wave_id: str = WAVE,
    opens_on: dt.date = dt.date(2026, 3, 1),
    closes_on: dt.date = dt.date(2026, 3, 31),
    strata: Sequence[str] | None = None,
    **changes: Any,
) -> list[str]:
    """An open wave with its links prepared; the numbers of the invitations in the order of the list."""
    digest = digest or records.publish(questionnaire)
    with write_transaction() as transaction:
        survey = transaction.scalar(sa.select(Survey).where(Survey.slug == questionnaire.slug))
        if survey is None:
            survey = Survey(slug=questionnaire.slug, title="Élus", questionnaire_slug="elus", audience="x")
            transaction.add(survey)
            transaction.flush()
        values: dict[str, Any] = {
            "title": "Les élus, 2026",
            "sites": list(STRATA),
            "headline_sites": list(STRATA),
            "languages": ["fr", "en", "ar"],
            "modes": ["personal_link"],
            "headline_modes": ["personal_link"],
            "created_at": NOW,
            "state": "draft",
            **changes,
        }
        transaction.add(
            Wave(
                id=wave_id,
                survey_id=survey.id,
                questionnaire_digest=digest,
                opens_on=opens_on,
                closes_on=closes_on,
                **values,
            )
        )
        transaction.flush()
        transaction.add(WaveQuestionnaire(wave_id=wave_id, digest=digest, since=NOW))
        listed = [a_unit(place, line=place + 2) for place in range(people)]
        by_size = [stratum_of(place, people) for place in range(people)]
        frozen = strata_of({code: by_size.count(code) for code in STRATA})
        freeze(transaction, wave_id, listed, strata=frozen, results_until=dt.date(2026, 12, 31))
        units = [unit.id for unit in listed]
    prepare_links(wave_id, list(zip(units, strata or by_size, strict=True)), actor="test")
    set_wave(wave_id, state="open", opened_at=NOW)
    mine = db.session.scalars(sa.select(Invitation).where(Invitation.wave_id == wave_id))
    by_unit = {one.unit_id: one.id for one in mine}
    db.session.rollback()
    return [by_unit[unit] for unit in units]


def set_wave(wave_id: str = WAVE, **changes: Any) -> None:
    """Change the row of a wave."""
    with write_transaction() as transaction:
        transaction.execute(sa.update(Wave).where(Wave.id == wave_id).values(**changes))
    db.session.rollback()


def close(wave_id: str = WAVE) -> None:
    """As the step « clore » leaves it, before the mixing."""
    set_wave(wave_id, state="closed", closed_at=NOW)


def invitation(number: str) -> Invitation:
    """As it is now, with its unit."""
    db.session.rollback()
    found = db.session.get_one(Invitation, number)
    assert found.unit is not None
    return found


def holder(number: str) -> redemption.Holder:
    """Whoever has the newest link."""
    return redemption.Holder(number, invitation(number).generation)


def answer(
    number: str,
    answers: Mapping[str, Any] = ANSWERS,
    *,
    today: dt.date = TODAY,
    language: str = "fr",
    questionnaire: Questionnaire = ASKED,
    digest: str | None = None,
) -> None:
    """Hand in these answers with the newest link."""
    redemption.hand_in(
        holder(number),
        answers,
        questionnaire=questionnaire,
        digest=digest or questionnaire_digest(questionnaire),
        language=language,
        today=today,
    )


def count(model: type[Any], *where: Any) -> int:
    """How many rows."""
    with db.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(model).where(*where)) or 0


def answered() -> int:
    """How many invitations are used up."""
    return count(Invitation, Invitation.state == "answered")


def responses() -> list[Any]:
    """The mixed answers."""
    with db.engine.connect() as connection:
        return list(connection.execute(sa.select(Response.__table__)).all())


def shipped_questionnaire(digest: str) -> Questionnaire:
    """The published questionnaire of this digest."""
    return from_canonical(db.session.get_one(QuestionnaireVersion, digest).canonical)
