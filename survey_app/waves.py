"""The life of a wave (« édition »): draft → open ⇄ closed → sealed → published. Floor 4.

What the wave's headline figure counts, and by which rule, is declared before it opens and fixed from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from form_definitions import SOURCE_LANGUAGE, Change, explain_changes
from survey_app.audit import act, record
from survey_app.database import db
from survey_app.models import InboxRecord, QuestionnaireVersion, Response, Survey, Wave, WaveQuestionnaire
from survey_app.questionnaires import questionnaire_of
from survey_app.responses import tallies, unjudged
from survey_app.wave_rules import PlanFault, faults_of

DRAFT: Final = "draft"
OPEN: Final = "open"
CLOSED: Final = "closed"
SEALED: Final = "sealed"
PUBLISHED: Final = "published"

STATES: Final[dict[str, str]] = {
    DRAFT: "En préparation",
    OPEN: "Ouverte",
    CLOSED: "Close",
    SEALED: "Scellée",
    PUBLISHED: "Publiée",
}
"""The states and their names on screen, in the order of a life."""

PARIS: Final = ZoneInfo("Europe/Paris")
NAMED_AT_MOST: Final = 3
KEPT: Final = "Des réponses nomment déjà cette édition\u00a0: elle ne se supprime plus."


class WaveError(ValueError):
    """The wave cannot become that; the message (French) says why, one sentence per fault of its plan."""

    def __init__(self, message: str = "", faults: Sequence[PlanFault] = ()) -> None:
        super().__init__(message or " ".join(fault.sentence for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class WavePlan:
    """Everything a wave declares beforehand."""

    id: str
    title: str
    questionnaire_digest: str
    opens_on: date
    closes_on: date
    sites: tuple[str, ...]
    languages: tuple[str, ...]
    modes: tuple[str, ...]
    headline_modes: tuple[str, ...]
    headline_sites: tuple[str, ...]
    expected_visits: Mapping[str, int] = field(default_factory=dict)
    anonymity: str = "anonymous"
    population: int | None = None
    threshold: Fraction = Fraction(3, 4)
    confidence: str = "0.95"
    method: str = "wilson"
    minimum_base: int = 30
    synthetic: bool = False


def waves() -> Sequence[Wave]:
    """All waves, the newest first."""
    return db.session.scalars(select(Wave).order_by(Wave.opens_on.desc(), Wave.id)).all()


def find_wave(wave_id: str) -> Wave | None:
    """This wave, or None."""
    return db.session.get(Wave, wave_id)


def open_wave_of(survey_slug: str) -> Wave | None:
    """The wave of this survey that takes answers now, or None."""
    query = select(Wave).join(Survey).where(Survey.slug == survey_slug, Wave.state == OPEN)
    return db.session.scalars(query).first()


def overlapping(plan: WavePlan) -> Sequence[Wave]:
    """Other waves of the same survey, not closed, that share a day with this plan."""
    version = db.session.get(QuestionnaireVersion, plan.questionnaire_digest)
    query = select(Wave).join(Survey).where(Survey.slug == (version.slug if version else ""))
    query = query.where(Wave.id != plan.id, Wave.state.in_((DRAFT, OPEN)))
    query = query.where(Wave.opens_on <= plan.closes_on, Wave.closes_on >= plan.opens_on)
    return db.session.scalars(query.order_by(Wave.opens_on)).all()


def plan_of(wave: Wave) -> WavePlan:
    """What this wave declared."""
    return WavePlan(
        id=wave.id,
        title=wave.title,
        questionnaire_digest=wave.questionnaire_digest,
        opens_on=wave.opens_on,
        closes_on=wave.closes_on,
        sites=tuple(wave.sites),
        languages=tuple(wave.languages),
        modes=tuple(wave.modes),
        headline_modes=tuple(wave.headline_modes),
        headline_sites=tuple(wave.headline_sites),
        expected_visits=dict(wave.expected_visits),
        anonymity=wave.anonymity,
        population=wave.population,
        threshold=Fraction(wave.threshold_numerator, wave.threshold_denominator),
        confidence=wave.confidence,
        method=wave.method,
        minimum_base=wave.minimum_base,
        synthetic=wave.synthetic,
    )


def create_wave(plan: WavePlan, *, actor: str) -> Wave:
    """A wave in preparation; raises `WaveError` with every fault of the plan."""
    with act() as transaction:
        version = _checked(transaction, plan, is_new=True)
        now = datetime.now(tz=UTC)
        wave = Wave(id=plan.id, state=DRAFT, created_at=now, survey_id=_survey_id(transaction, version))
        _write(wave, plan)
        transaction.add(wave)
        transaction.flush()
        transaction.add(WaveQuestionnaire(wave_id=wave.id, digest=version.digest, since=now))
        record(transaction, "wave-created", actor=actor, subject=wave.id, detail=_for_the_log(plan))
        return wave


def change_wave(wave_id: str, plan: WavePlan, *, actor: str) -> None:
    """Change what a wave declares, as long as it has not opened; only its dates while nothing came."""
    with act() as transaction:
        wave = _wave(transaction, wave_id)
        same = replace(plan, opens_on=wave.opens_on, closes_on=wave.closes_on) == plan_of(wave)
        if wave.state != DRAFT and not (same and dates_can_move(wave, transaction)):
            raise WaveError("Une édition ouverte ne change plus de règles. Créez une nouvelle édition.")
        version = _checked(transaction, plan)
        wave.survey_id = _survey_id(transaction, version)
        _write(wave, plan)
        _remember_questionnaire(transaction, wave, version.digest)
        record(transaction, "wave-changed", actor=actor, subject=wave.id, detail=_for_the_log(plan))


@dataclass(frozen=True)
class Step:
    """One step in the life of a wave: between which states, and what it leaves behind."""

    before: str
    after: str
    logged: str
    otherwise: str
    stamp: str
    """The column that keeps its moment."""
    undoes: bool = False
    """Whether the moment is taken back instead."""


DELETE: Final = "delete"
GONE: Final = ""
"""The state of an edition that is deleted."""


STEPS: Final[Mapping[str, Step]] = {
    "open": Step(DRAFT, OPEN, "wave-opened", "Seule une édition en préparation s’ouvre.", "opened_at"),
    "close": Step(OPEN, CLOSED, "wave-closed", "Seule une édition ouverte se ferme.", "closed_at"),
    "reopen": Step(
        CLOSED, OPEN, "wave-reopened", "Seule une édition close et non scellée se rouvre.", "closed_at", True
    ),
    "seal": Step(CLOSED, SEALED, "wave-sealed", "Fermez l’édition avant de la sceller.", "sealed_at"),
    "publish": Step(
        SEALED,
        PUBLISHED,
        "wave-published",
        "Scellez l’édition avant de publier ses résultats.",
        "published_at",
    ),
    DELETE: Step(DRAFT, GONE, "wave-deleted", "Seule une édition en préparation se supprime.", "created_at"),
}


def take_step(name: str, wave_id: str, *, actor: str, today: date | None = None) -> None:
    """Take the wave one step on; raises `WaveError` where it cannot be taken."""
    step = STEPS[name]
    with act() as transaction:
        tallies.lock(transaction.connection())
        wave = _wave(transaction, wave_id)
        reason = why_not(name, wave, transaction, today=today)
        if reason:
            raise WaveError(reason)
        if name == DELETE:
            _delete(transaction, wave, actor)
            return
        before: datetime | None = getattr(wave, step.stamp)
        wave.state = step.after
        setattr(wave, step.stamp, None if step.undoes else datetime.now(tz=UTC))
        detail = {step.stamp: before.isoformat()} if before else {}
        record(transaction, step.logged, actor=actor, subject=wave.id, detail=detail)


def _delete(transaction: Session, wave: Wave, actor: str) -> None:
    """What it had declared stays in the log."""
    declared = _for_the_log(plan_of(wave))
    transaction.execute(delete(WaveQuestionnaire).where(WaveQuestionnaire.wave_id == wave.id))
    transaction.delete(wave)
    record(transaction, STEPS[DELETE].logged, actor=actor, subject=wave.id, detail=declared)


open_wave = partial(take_step, "open")
"""Start to take answers. One wave of a survey at a time."""
close_wave = partial(take_step, "close")
"""Stop asking. What tablets still hold arrives later, is kept and flagged."""
reopen_wave = partial(take_step, "reopen")
"""Ask again. What came meanwhile keeps its flags: people decide whether it counts."""
seal_wave = partial(take_step, "seal")
"""Declare that everything has arrived: from now on the terms of the raw records run."""
publish_wave = partial(take_step, "publish")
"""Declare the figures of a sealed wave official."""
delete_wave = partial(take_step, DELETE)
"""Throw away a wave in preparation; not even a stray record may name it."""


def why_not(name: str, wave: Wave, session: Session | None = None, *, today: date | None = None) -> str:
    """Why this step cannot be taken now (French), with the remedy; empty = it can."""
    session = session or db.session()
    if wave.state != STEPS[name].before:
        return STEPS[name].otherwise
    if STEPS[name].after == OPEN:
        return _not_to_open(wave, session, today or today_in_paris())
    if name == DELETE:
        return KEPT if _anything_came(wave, session) else ""
    waiting = waiting_records(wave.id, session) if name == "seal" else 0
    return _still_waiting(wave.id, waiting) if waiting else ""


def _not_to_open(wave: Wave, session: Session, today: date) -> str:
    """An edition whose last day is past would be called open and receive nothing."""
    other = session.scalars(
        select(Wave.title).where(Wave.survey_id == wave.survey_id, Wave.state == OPEN)
    ).first()
    if other is not None:
        return f"«\u202f{other}\u202f» est encore ouverte\u202f: fermez-la d’abord."
    if wave.closes_on >= today:
        return ""
    if wave.state == DRAFT or dates_can_move(wave, session, today=today):
        return "Son dernier jour est passé\u00a0: changez d’abord ses dates."
    return (
        "Son dernier jour est passé, et ses dates ne changent plus\u00a0: elle a des réponses. "
        "Préparez une nouvelle édition."
    )


def dates_can_move(wave: Wave, session: Session | None = None, *, today: date | None = None) -> bool:
    """Whether the dates of a wave that has opened can change: it asks nobody now, and nothing ever came."""
    session = session or db.session()
    asks_nobody = wave.state == CLOSED or (wave.state == OPEN and wave.opens_on > (today or today_in_paris()))
    return asks_nobody and not _anything_came(wave, session)


def _anything_came(wave: Wave, session: Session) -> bool:
    return any(
        session.scalars(select(table.wave_id).where(table.wave_id == wave.id).limit(1)).first()
        for table in (Response, InboxRecord)
    )


def today_in_paris() -> date:
    """The day on the prefecture's calendar."""
    return datetime.now(tz=PARIS).date()


def _still_waiting(wave_id: str, number: int) -> str:
    named = ", ".join(one.record_id[:8] for one in unjudged.waiting(wave_id)[:NAMED_AT_MOST])
    return (
        f"{number} envois attendent encore d’être lus ({named}{'…' if number > NAMED_AT_MOST else ''}). "
        "Réessayez dans un instant\u00a0; si cela dure, voyez «\u202fRéponses à revoir\u202f»."
    )


def move_to_questionnaire(wave_id: str, digest: str, *, actor: str) -> tuple[Change, ...]:
    """Let an open wave go on with another version of its questionnaire; gives what that changes."""
    with act() as transaction:
        wave = _wave(transaction, wave_id)
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


def waiting_records(wave_id: str, session: Session | None = None) -> int:
    """How many records of the wave are stored and not yet judged."""
    query = select(func.count()).select_from(InboxRecord)
    query = query.where(InboxRecord.wave_id == wave_id, InboxRecord.judged_at.is_(None))
    return int((session or db.session).execute(query).scalar_one())


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


def _write(wave: Wave, plan: WavePlan) -> None:
    for name in ("title", "questionnaire_digest", "opens_on", "closes_on", "anonymity", "population"):
        setattr(wave, name, getattr(plan, name))
    for name in ("confidence", "method", "minimum_base", "synthetic"):
        setattr(wave, name, getattr(plan, name))
    for name in ("sites", "languages", "modes", "headline_modes", "headline_sites"):
        setattr(wave, name, list(getattr(plan, name)))
    wave.expected_visits = {site: n for site, n in plan.expected_visits.items() if site in plan.sites}
    wave.threshold_numerator = plan.threshold.numerator
    wave.threshold_denominator = plan.threshold.denominator


def _for_the_log(plan: WavePlan) -> dict[str, object]:
    return {name: value if isinstance(value, int) else str(value) for name, value in asdict(plan).items()}


def _remember_questionnaire(transaction: Session, wave: Wave, digest: str) -> None:
    if transaction.get(WaveQuestionnaire, (wave.id, digest)) is None:
        transaction.add(WaveQuestionnaire(wave_id=wave.id, digest=digest, since=datetime.now(tz=UTC)))


def _survey_id(transaction: Session, version: QuestionnaireVersion) -> int:
    return transaction.scalars(select(Survey.id).where(Survey.slug == version.slug)).one()


def _version(transaction: Session, digest: str) -> QuestionnaireVersion:
    version = transaction.get(QuestionnaireVersion, digest)
    if version is None:
        raise WaveError("Publiez d’abord le questionnaire de cette édition.")
    return version


def _wave(transaction: Session, wave_id: str) -> Wave:
    wave = transaction.get(Wave, wave_id)
    if wave is None:
        raise WaveError(f"Aucune édition «\u202f{wave_id}\u202f».")
    return wave
