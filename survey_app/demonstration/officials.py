"""The surveys of the officials: last year's, published, and today's, with its invitations sent.

They have what real ones have: a list, a link for each town hall, the sealed pool, the mixing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice
from typing import Final

import sqlalchemy as sa
from flask import current_app

from form_definitions import Questionnaire, load_questionnaire, load_translations
from form_definitions.library import FOLDER
from survey_app.clock import utc_now
from survey_app.database import db
from survey_app.demonstration.visitors import ACTOR, SEED
from survey_app.frames import freeze_for_wave, import_frame
from survey_app.frames.synthetic import synthetic_frame
from survey_app.frames.words import COMMUNE
from survey_app.invitation_models import Invitation, SampledUnit
from survey_app.invitations import transitions
from survey_app.invitations.mixing import finish
from survey_app.invitations.preparing import MODE, prepare_links
from survey_app.invitations.redemption import Holder, hand_in
from survey_app.mailing import planning
from survey_app.mailing.sender import PAUSES, Sender
from survey_app.mailing.texts import INVITATION, REMINDER
from survey_app.questionnaires import publish_source
from survey_app.results_letter.last_day import set_results_until
from survey_app.settings import Settings
from survey_app.synthetic_answers import Person, Population, people
from survey_app.waves import WavePlan, close_wave, create_wave, open_wave, publish_wave, seal_wave

SOURCE: Final = FOLDER / "questionnaires" / "elected_officials.yaml"
A_YEAR: Final = timedelta(days=365)
BEGAN, LASTS = timedelta(days=9), timedelta(days=40)
"""The edition under way: since when, and how long in all."""
RESULTS_SHOWN: Final = timedelta(days=540)
"""Of last year’s edition too, the links still open its results."""
LISTED: Final = timedelta(days=30)
"""So long before an edition its list was drawn up."""
BY_NOW: Final = 0.4
"""The share of the answers of a whole edition that is there today."""
BEGUN, DECLINED = 6, 4
"""So many others have begun, or said that they do not want to answer; one each says the rest."""


def ended_edition(today: date) -> str:
    """The code of last year's edition."""
    return f"elus-{today.year - 1}"


def edition_under_way(today: date) -> str:
    """The code of the edition that runs today."""
    return f"elus-{today.year}"


def make_editions(population: Population, today: date) -> None:
    """Both editions, with as many answers as the population has people, at most."""
    questionnaire = load_questionnaire(SOURCE)
    version = publish_source(SOURCE.read_text(encoding="utf-8"), load_translations(), actor=ACTOR)
    began = today - A_YEAR
    before = _plan(ended_edition(today), began, version.digest)
    _open(before)
    _answer(before, questionnaire, population, last=before.opens_on + BEGAN)
    _end(before.id)
    now = _plan(edition_under_way(today), today - BEGAN, version.digest)
    _open(now)
    _invite(now.id)
    so_far = replace(population, size=round(population.size * BY_NOW))
    rest = _answer(now, questionnaire, so_far, last=today)
    _say_other_things(rest)
    planning.create_mailing(now.id, REMINDER, actor=ACTOR)


def _plan(code: str, opens_on: date, digest: str) -> WavePlan:
    modes = (MODE,)
    return WavePlan(
        id=code,
        title=f"Élus {code.rpartition('-')[2]}",
        questionnaire_digest=digest,
        opens_on=opens_on,
        closes_on=opens_on + LASTS,
        sites=("a_distance",),
        languages=("fr",),
        modes=modes,
        headline_modes=modes,
        headline_sites=("a_distance",),
        synthetic=True,
    )


def _open(plan: WavePlan) -> None:
    """Its list imported and frozen, a link for each town hall, and open on its first day."""
    create_wave(plan, actor=ACTOR)
    drawn_up = plan.opens_on - LISTED
    listed = replace(
        synthetic_frame(SEED),
        title=f"Élus des Deux-Sèvres, {drawn_up.year} (inventés)",
        source_date=drawn_up.isoformat(),
    )
    frame = import_frame(listed, actor=ACTOR)
    frozen = freeze_for_wave(plan.id, frame.id, "authority", (COMMUNE,), actor=ACTOR)
    prepare_links(plan.id, [(unit.unit_id, unit.stratum) for unit in frozen.units], actor=ACTOR)
    set_results_until(plan.id, plan.closes_on + RESULTS_SHOWN, actor=ACTOR)
    open_wave(plan.id, actor=ACTOR, today=plan.opens_on)


def _answer(
    plan: WavePlan, questionnaire: Questionnaire, population: Population, *, last: date
) -> Sequence[Holder]:
    """Some of those who were asked answer whole forms; the others, as they come."""
    holders = _holders(plan.id)
    crowd = people(questionnaire, population, first=plan.opens_on, last=last, seed=SEED)
    whole: list[Person] = list(islice((one for one in crowd if one.complete), len(holders)))
    for holder, person in zip(holders, whole, strict=False):
        hand_in(
            holder,
            person.answers,
            questionnaire=questionnaire,
            digest=plan.questionnaire_digest,
            language=person.language,
            today=person.day,
        )
    return holders[len(whole) :]


def _holders(wave_id: str) -> list[Holder]:
    """Everybody with their link, in an order that is the same at every first start."""
    query = sa.select(Invitation.id, Invitation.generation).join(SampledUnit)
    of_wave = query.where(Invitation.wave_id == wave_id).order_by(SampledUnit.authority_code)
    found = [Holder(*row) for row in db.session.execute(of_wave)]
    db.session.rollback()
    random.Random(SEED).shuffle(found)  # noqa: S311 (nothing secret: the same figures at every start)
    return found


def _end(wave_id: str) -> None:
    close_wave(wave_id, actor=ACTOR)
    finish(wave_id, actor=ACTOR)
    seal_wave(wave_id, actor=ACTOR)
    publish_wave(wave_id, actor=ACTOR)


def _invite(wave_id: str) -> None:
    """The invitations leave at once where there is a relay; what it does not take, the server sends later."""
    settings: Settings = current_app.extensions["survey_settings"]
    mailing = planning.create_mailing(wave_id, INVITATION, actor=ACTOR)
    if settings.mail.lacks:
        return
    planning.schedule(mailing.id, utc_now(), planning.FASTEST, actor=ACTOR)
    sender = Sender(settings)
    while (pause := sender.step()) is not None and pause < PAUSES[0]:
        time.sleep(pause)
    sender.close()


def _say_other_things(holders: Sequence[Holder]) -> None:
    """What a follow-up shows besides answers."""
    each = iter(holders)
    for holder in islice(each, BEGUN):
        transitions.begin(holder)
    for holder in islice(each, DECLINED):
        transitions.decline(holder)
    for holder in islice(each, 1):
        transitions.say_wrong_person(holder)
    for holder in islice(each, 1):
        transitions.object_for_good(holder)
