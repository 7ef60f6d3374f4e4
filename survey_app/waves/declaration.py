"""Prepare a wave, change what it declares, and let it go on with another version of its questionnaire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from form_definitions import SOURCE_LANGUAGE, Change, explain_changes
from survey_app.audit import act, record
from survey_app.clock import utc_now
from survey_app.database import db
from survey_app.models import QuestionnaireVersion, Survey, Wave, WaveQuestionnaire
from survey_app.questionnaires import questionnaire_of
from survey_app.waves.life import dates_can_move
from survey_app.waves.plan import WavePlan, plan_for_the_log, plan_of, write_plan
from survey_app.waves.rules import PlanFault, faults_of
from survey_app.waves.states import DRAFT, OPEN, WaveError, known_wave


def create_wave(plan: WavePlan, *, actor: str) -> Wave:
    """A wave in preparation; raises `WaveError` with every fault of the plan."""
    with act() as transaction:
        version = _checked(transaction, plan, is_new=True)
        now = utc_now()
        wave = Wave(id=plan.id, state=DRAFT, created_at=now, survey_id=_survey_id(transaction, version))
        write_plan(wave, plan)
        transaction.add(wave)
        transaction.flush()
        transaction.add(WaveQuestionnaire(wave_id=wave.id, digest=version.digest, since=now))
        record(transaction, "wave-created", actor=actor, subject=wave.id, detail=plan_for_the_log(plan))
        return wave


def change_wave(wave_id: str, plan: WavePlan, *, actor: str) -> None:
    """Change what a wave declares, as long as it has not opened; only its dates while nothing came."""
    with act() as transaction:
        wave = known_wave(transaction, wave_id)
        same = replace(plan, opens_on=wave.opens_on, closes_on=wave.closes_on) == plan_of(wave)
        if wave.state != DRAFT and not (same and dates_can_move(wave, transaction)):
            raise WaveError("Une édition ouverte ne change plus de règles. Créez une nouvelle édition.")
        version = _checked(transaction, plan)
        wave.survey_id = _survey_id(transaction, version)
        write_plan(wave, plan)
        _remember_questionnaire(transaction, wave, version.digest)
        record(transaction, "wave-changed", actor=actor, subject=wave.id, detail=plan_for_the_log(plan))


def move_to_questionnaire(wave_id: str, digest: str, *, actor: str) -> tuple[Change, ...]:
    """Let an open wave go on with another version of its questionnaire; gives what that changes."""
    with act() as transaction:
        wave = known_wave(transaction, wave_id)
        if wave.state != OPEN:
            raise WaveError("Seule une édition ouverte change de version.")
        changes = changes_of_move(wave, _version(transaction, digest), transaction)
        wave.questionnaire_digest = digest
        _remember_questionnaire(transaction, wave, digest)
        broken = [name for change in changes for name in change.breaks_series]
        detail = {"digest": digest, "broken_series": broken}
        record(transaction, "wave-moved", actor=actor, subject=wave.id, detail=detail)
        return changes


def changes_of_move(
    wave: Wave, version: QuestionnaireVersion, session: Session | None = None
) -> tuple[Change, ...]:
    """What moving the wave to this version would change, in sentences."""
    before = _version(session or db.session(), wave.questionnaire_digest)
    if before.slug != version.slug:
        raise WaveError("Ce questionnaire n’est pas celui de l’enquête.")
    return tuple(explain_changes(questionnaire_of(before), questionnaire_of(version)))


def overlapping(plan: WavePlan) -> Sequence[Wave]:
    """Other waves of the same survey, not closed, that share a day with this plan."""
    version = db.session.get(QuestionnaireVersion, plan.questionnaire_digest)
    query = select(Wave).join(Survey).where(Survey.slug == (version.slug if version else ""))
    query = query.where(Wave.id != plan.id, Wave.state.in_((DRAFT, OPEN)))
    query = query.where(Wave.opens_on <= plan.closes_on, Wave.closes_on >= plan.opens_on)
    return db.session.scalars(query.order_by(Wave.opens_on)).all()


def plan_faults(plan: WavePlan, *, is_new: bool, session: Session | None = None) -> list[PlanFault]:
    """All that keeps a wave from being declared so."""
    session = session or db.session()
    version = _version(session, plan.questionnaire_digest)
    faults = faults_of(plan, questionnaire_of(version), (SOURCE_LANGUAGE, *version.translations))
    readable = all(fault.field != "id" for fault in faults)
    if is_new and readable and session.get(Wave, plan.id) is not None:
        faults.append(PlanFault("id", f"Le code «\u202f{plan.id}\u202f» est déjà pris."))
    return faults


def _checked(transaction: Session, plan: WavePlan, *, is_new: bool = False) -> QuestionnaireVersion:
    faults = plan_faults(plan, is_new=is_new, session=transaction)
    if faults:
        raise WaveError(faults=faults)
    return _version(transaction, plan.questionnaire_digest)


def _remember_questionnaire(transaction: Session, wave: Wave, digest: str) -> None:
    if transaction.get(WaveQuestionnaire, (wave.id, digest)) is None:
        transaction.add(WaveQuestionnaire(wave_id=wave.id, digest=digest, since=utc_now()))


def _survey_id(transaction: Session, version: QuestionnaireVersion) -> int:
    return transaction.scalars(select(Survey.id).where(Survey.slug == version.slug)).one()


def _version(transaction: Session, digest: str) -> QuestionnaireVersion:
    version = transaction.get(QuestionnaireVersion, digest)
    if version is None:
        raise WaveError("Publiez d’abord le questionnaire de cette édition.")
    return version
