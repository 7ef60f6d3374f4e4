"""The end of the terms: the only way through the append-only triggers, and every run is logged.

Figures outlive the answers: the tallies of a purged wave stay, and are marked as no longer recountable.
What is erased leaves no trace of who sent it when: see ``unlinking.py``.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from analysis.tally import CellLayout
from survey_app.clock import day_in_paris
from survey_app.database import BUSY_TIMEOUT_SECONDS, db, write_connection
from survey_app.device_models import EnrolmentCode
from survey_app.invitation_models import AnonymousText, SealedAnswer
from survey_app.models import (
    AuditEntry,
    InboxConflict,
    InboxRecord,
    Response,
    ResponseSetAside,
    ServerFact,
    SignInTry,
    Wave,
)
from survey_app.responses import tallies, unlinking
from survey_app.responses.counts import text_keys
from survey_app.responses.purge_officials import erase_officials
from survey_app.settings import RetentionTerms

log = logging.getLogger(__name__)
PAUSE_SECONDS: Final = 0.05

ERASED_TEXT = "[effacé]"
"""Stands for a text that was there: whether there was one stays countable."""
_PURGING = "purging"


class Kind(NamedTuple):
    """One kind of data that has a term."""

    term: str
    title: str
    erase: Callable[[Connection, dt.datetime], int]


class _DryRun(Exception):  # noqa: N818 (control flow: takes the transaction back)
    pass


def purge(
    terms: RetentionTerms,
    *,
    by: str,
    now: dt.datetime | None = None,
    dry_run: bool = False,
    step: Callable[[], None] = lambda: None,
) -> Mapping[str, int]:
    """Erase what is past its term; how much of each kind. ``dry_run`` counts and takes everything back.

    ``step`` is called after each of the `KINDS`.
    """
    moment = now or dt.datetime.now(dt.UTC)
    erased: dict[str, int] = {}
    try:
        with write_connection() as connection:
            tallies.lock(connection)
            with passing(connection, by):
                for kind in KINDS:
                    cutoff = moment - dt.timedelta(days=getattr(terms, kind.term))
                    erased[kind.term] = kind.erase(connection, cutoff)
                    step()
            _log(connection, moment, by, erased)
            if dry_run:
                raise _DryRun
    except _DryRun:
        return erased
    empty_the_log_of_sqlite()
    return erased


@contextmanager
def passing(connection: Connection, by: str) -> Iterator[None]:
    """The way through the triggers, in one transaction; what lost its envelope is unlinked at the end."""
    connection.execute(sa.insert(ServerFact).values(key=_PURGING, value=by))
    yield
    unlinking.unlink(connection)
    connection.execute(sa.delete(ServerFact).where(ServerFact.key == _PURGING))


def _log(connection: Connection, now: dt.datetime, by: str, erased: Mapping[str, int]) -> None:
    entry = {"at": now, "actor": by, "action": "purge", "subject": "", "detail": dict(erased)}
    connection.execute(sa.insert(AuditEntry).values(**entry))


def empty_the_log_of_sqlite() -> bool:
    """What was erased must not go on in the write-ahead log; whether it is empty. A reader may hold it."""
    if db.engine.dialect.name != "sqlite":
        return True
    connection = db.engine.raw_connection()  # a checkpoint cannot run inside a transaction
    try:
        patience = time.monotonic() + BUSY_TIMEOUT_SECONDS
        while time.monotonic() < patience:  # it waits for readers by itself, not for another checkpoint
            busy, *_pages = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return True
            time.sleep(PAUSE_SECONDS)
        log.warning("the write-ahead log still holds what was erased: a reader kept it busy")
        return False
    finally:
        connection.close()


def _sealed(cutoff: dt.datetime) -> sa.Select[str]:
    return sa.select(Wave.id).where(Wave.sealed_at <= cutoff)


def _over(cutoff: dt.datetime) -> sa.Select[str]:
    """The waves that had ended by then: closed, or past their last day. Nobody has to do anything for it."""
    return sa.select(Wave.id).where(sa.or_(Wave.closed_at <= cutoff, Wave.closes_on < day_in_paris(cutoff)))


def _unknown_wave(model: type[InboxRecord] | type[Response]) -> sa.ColumnElement[bool]:
    return sa.func.coalesce(model.wave_id, "").not_in(sa.select(Wave.id))


def _erase_envelopes(connection: Connection, cutoff: dt.datetime) -> int:
    return empty_envelopes(connection, InboxRecord.wave_id.in_(_sealed(cutoff)))


def empty_envelopes(connection: Connection, chosen: sa.ColumnElement[bool]) -> int:
    """Ids and hashes stay, so that a resend still gets its receipt. What waits to be judged stays whole."""
    judged = sa.and_(chosen, InboxRecord.envelope.is_not(None), InboxRecord.judged_at.is_not(None))
    ids = sa.select(InboxRecord.id).where(chosen)
    variants = sa.and_(InboxConflict.envelope.is_not(None), InboxConflict.id.in_(ids))
    erased = connection.execute(sa.update(InboxConflict).where(variants).values(envelope=None)).rowcount
    return erased + connection.execute(sa.update(InboxRecord).where(judged).values(envelope=None)).rowcount


def _erase_practice(connection: Connection, cutoff: dt.datetime) -> int:
    chosen = sa.and_(Response.practice.is_(True), Response.answered_on <= cutoff.date())
    ids = sa.select(Response.record_id).where(chosen)
    empty_envelopes(connection, InboxRecord.id.in_(ids))
    return delete_responses(connection, chosen)


def delete_responses(connection: Connection, chosen: sa.ColumnElement[bool]) -> int:
    """With the decisions about them."""
    decided = sa.tuple_(ResponseSetAside.record_id, ResponseSetAside.revision)
    keys = sa.select(Response.record_id, Response.revision).where(chosen)
    connection.execute(sa.delete(ResponseSetAside).where(decided.in_(keys)))
    return connection.execute(sa.delete(Response).where(chosen)).rowcount


def _erase_texts(connection: Connection, cutoff: dt.datetime) -> int:
    """Free texts wherever they are: envelopes (also of a wave never sealed), answers, what was kept apart."""
    orphaned = sa.and_(_unknown_wave(InboxRecord), InboxRecord.received_at <= cutoff)
    closed = InboxRecord.wave_id.in_(_over(cutoff))
    erased = empty_envelopes(connection, sa.or_(orphaned, closed))
    apart = sa.delete(AnonymousText).where(AnonymousText.wave_id.in_(_over(cutoff)))
    erased += connection.execute(apart).rowcount
    for wave_id in connection.scalars(_over(cutoff)).all():
        layouts = tallies.wave_layouts(connection, wave_id)
        query = sa.select(*Response.__table__.columns).where(Response.wave_id == wave_id)
        for row in connection.execute(query).all():
            erased += erase_texts_of(connection, row, layouts.get(row.questionnaire_digest))
    return erased


def erase_texts_of(connection: Connection, row: Any, layout: CellLayout | None) -> bool:
    """Free texts and what was kept apart; whether there was any."""
    keys = [] if layout is None else text_keys(layout.questionnaire, row.answers)
    texts = {name: ERASED_TEXT for name in keys if row.answers[name] != ERASED_TEXT}
    if not texts and not row.other_answers:
        return False
    _replace_answers(connection, row, {**row.answers, **texts})
    return True


def _replace_answers(connection: Connection, row: Any, answers: Mapping[str, Any]) -> None:
    same = sa.and_(Response.record_id == row.record_id, Response.revision == row.revision)
    connection.execute(sa.update(Response).where(same).values(answers=answers, other_answers={}))


def _erase_responses(connection: Connection, cutoff: dt.datetime) -> int:
    erased = 0
    for wave_id in connection.scalars(_over(cutoff)).all():
        tallies.keep_counter_names(connection, wave_id)
        number = delete_responses(connection, Response.wave_id == wave_id)
        left = sa.delete(SealedAnswer).where(SealedAnswer.wave_id == wave_id, SealedAnswer.unreadable)
        if connection.execute(left).rowcount or number:
            tallies.mark_as_not_recountable(connection, wave_id)
        erased += number
    # Of no known wave: nothing was ever counted from them. The day they were answered starts the term.
    orphaned = sa.and_(_unknown_wave(Response), Response.answered_on <= cutoff.date())
    return erased + delete_responses(connection, orphaned)


def _erase_codes(connection: Connection, cutoff: dt.datetime) -> int:
    return connection.execute(sa.delete(EnrolmentCode).where(EnrolmentCode.expires_at <= cutoff)).rowcount


def _erase_tries(connection: Connection, cutoff: dt.datetime) -> int:
    return connection.execute(sa.delete(SignInTry).where(SignInTry.at <= cutoff)).rowcount


def _erase_audit(connection: Connection, cutoff: dt.datetime) -> int:
    return connection.execute(sa.delete(AuditEntry).where(AuditEntry.at <= cutoff)).rowcount


KINDS = (
    Kind("envelopes_after_sealing", "Envois bruts, après le scellement de l’édition", _erase_envelopes),
    Kind("practice", "Réponses d’essai", _erase_practice),
    Kind(
        "free_texts_after_closing",
        "Textes libres, envois bruts encore là compris, après la fin de l’édition",
        _erase_texts,
    ),
    Kind("responses_after_closing", "Réponses individuelles, après la fin de l’édition", _erase_responses),
    Kind(
        "officials_after_results",
        "Élus interrogés (liste, invitations, courriels), après le dernier jour où leurs liens ouvrent les "
        "résultats, ou à défaut la fin de l’édition\u202f; liste jamais utilisée, après son import",
        erase_officials,
    ),
    Kind("enrolment_codes", "Codes d’inscription des tablettes, après leur échéance", _erase_codes),
    Kind("sign_in_tries", "Tentatives de connexion des agents, sous empreinte à clé", _erase_tries),
    Kind("audit_entries", "Journal des actions des agents", _erase_audit),
)
"""Every kind of data that has a term, in the order of erasing."""
