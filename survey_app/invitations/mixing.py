"""After the closing: the pool is opened, shuffled, and becomes responses; then the key is destroyed. Once.

Each step can be repeated, and the next one begins where the last one was killed. All that is counted changes
in one transaction: a used invitation is a blob in the pool, or a response, never both; or one of too few.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app import audit
from survey_app.database import DatabaseUnavailable, db, one_writer, unavailable, write_transaction
from survey_app.invitation_models import (
    AnonymousText,
    WaveFrame,
    random_number,
)
from survey_app.invitations import cells, pool, wave_keys
from survey_app.invitations.forgetting import forget_who_answered, somebody_is_named
from survey_app.invitations.pool import MixingError, UnreadableAnswers
from survey_app.invitations.preparing import MODE
from survey_app.invitations.sealed_answers import Answer
from survey_app.invitations.states import OPEN
from survey_app.models import Wave
from survey_app.responses import tallies
from survey_app.responses.counts import text_keys
from survey_app.responses.judge import Judgement, judged_answers
from survey_app.responses.judgement_writing import insert_responses
from survey_app.responses.link_balance import balance, must_be_kept
from survey_app.responses.purge import empty_the_log_of_sqlite
from survey_app.responses.set_aside import change
from survey_app.strata import merged_strata

Some = TypeVar("Some")
DRAFT: Final = "draft"
STEPS: Final = ("opened", "written", "mixed", "forgotten", "compacted", "destroyed", "recorded")
"""What was just done, for whoever kills us there."""
_REWRITTEN: Final = (
    "CLUSTER invitation USING pk_invitation",
    "CLUSTER anonymous_text USING pk_anonymous_text",
)
"""By their random numbers: neither the place of a row nor its transaction tells when it was last changed."""
_EMPTIED: Final = tuple(
    f"VACUUM (FULL, ANALYZE) {table}" for table in ("sealed_answer", "saved_interview", "mail_message")
)


def reached(step: str) -> None:
    """Here a test pulls the plug."""


def unfinished() -> list[str]:
    """The closed waves by personal link of which something is left to do: see :func:`finish`."""
    with db.engine.connect() as connection:
        query = sa.select(WaveFrame.wave_id).join(Wave, Wave.id == WaveFrame.wave_id)
        over = query.where(Wave.state.not_in((DRAFT, OPEN)), WaveFrame.key_id.is_not(None))
        left = sa.or_(WaveFrame.key_destroyed_at.is_(None), somebody_is_named())
        return list(connection.scalars(over.where(left)))


def finish(
    wave_id: str, *, actor: str, now: dt.datetime | None = None, leave_out_unreadable: bool = False
) -> int:
    """All that is left to do after a wave was closed; how many answers came out of the pool now.

    An answer that does not open is marked, and stops the others until somebody decides: afterwards the key is
    gone, and not even an intact copy of it would open. Left out, it stays in the pool.

    Raises
    ------
    UnreadableAnswers
        Some do not open. Nothing else is changed.
    MixingError
        The database cannot be compacted yet.
    KeyMissing
        The key's file is not here: nothing is changed.
    """
    if wave_id not in unfinished():
        return 0
    moment = now or dt.datetime.now(dt.UTC)
    mixed = _mix(wave_id, actor, moment, leave_out_unreadable)
    forget_who_answered(wave_id)
    reached("forgotten")
    _compact()
    _destroy_key(wave_id, actor, moment)
    return mixed


def were_withheld(wave_id: str) -> bool:
    """Whether there were answers, but so few that none was kept (``TOO_FEW`` says it)."""
    with db.engine.connect() as connection:
        return balance(connection, wave_id).withheld > 0


def _mix(wave_id: str, actor: str, now: dt.datetime, leave_out_unreadable: bool) -> int:
    """The answers out of the pool into the responses and the figures, in one transaction.

    Fewer than eleven go nowhere: one response beside one used invitation is a name.
    """
    with write_transaction() as transaction:
        connection = transaction.connection()
        tallies.lock(connection)
        frame = transaction.get_one(WaveFrame, wave_id, with_for_update=True)
        if frame.mixed_at is not None:
            return 0
        opened, damaged = pool.opened(connection, frame)
        pool.mark_unreadable(transaction, wave_id, damaged, actor)
        waits = bool(damaged) and not leave_out_unreadable
        answers = [] if waits else _become_responses(connection, frame, opened)
        if not waits:
            frame.mixed_at = now
            pool.empty(connection, wave_id)
            left_out = {"left_out": len(damaged)} if damaged else {}
            detail = {"answers": len(answers), "key": frame.key_id, **left_out}
            done = "wave-mixed" if len(answers) == len(opened) else "answers-withheld"
            audit.record(transaction, done, actor=actor, subject=wave_id, detail=detail)
    if waits:
        raise UnreadableAnswers(len(damaged), len(opened))
    reached("mixed")
    return len(answers)


def _become_responses(connection: Connection, frame: WaveFrame, opened: Sequence[Answer]) -> list[Answer]:
    """The answers that were kept: all or none; the frame says which strata were merged."""
    answers = _shuffled(opened if must_be_kept(len(opened), nominative=frame.nominative) else ())
    reached("opened")
    merged = merged_strata(Counter(answer.stratum for answer in answers))
    _write(connection, frame.wave, cells.placed(answers, merged, frame.wave.questionnaire_digest))
    reached("written")
    frame.strata = [
        {**one, "merged_into": merged.get(one["code"], one.get("merged_into"))} for one in frame.strata
    ]
    return answers


def _shuffled(rows: Iterable[Some]) -> list[Some]:
    shuffled = list(rows)
    secrets.SystemRandom().shuffle(shuffled)
    return shuffled


def _write(connection: Connection, wave: Wave, answers: Sequence[cells.Placed]) -> None:
    """Responses and free texts, each in an order of its own; the tallies follow."""
    digests = {one.digest for one in answers}
    tallies.refresh_layouts(connection, digests)
    judged = [_judged(connection, wave, one) for one in _shuffled(answers)]
    responses = [response for response, _texts in judged]
    insert_responses(connection, responses)
    counted = [change(connection, response, +1) for response in responses if response.counted]
    tallies.apply(connection, tallies.summed(counted))
    texts = [
        {"id": random_number(), "wave_id": wave.id, "item": item, "text": text}
        for _response, said in judged
        for item, text in said.items()
    ]
    if texts:
        connection.execute(sa.insert(AnonymousText), _shuffled(texts))


def _judged(connection: Connection, wave: Wave, placed: cells.Placed) -> tuple[Judgement, dict[str, str]]:
    """One answer as the intake judges any other; its free texts apart.

    Of one of few to another version only what the version asks that it is counted with, and no word of it.
    """
    questionnaire = tallies.questionnaire_of(connection, placed.digest)
    if questionnaire is None:
        raise MixingError(f"Aucun questionnaire publié ici n’a l’empreinte {placed.digest[:12]}.")
    given = {
        name: value for name, value in placed.answer.answers.items() if name not in cells.KNOWN_BY_THE_FRAME
    }
    answers, _others, flags = judged_answers(questionnaire, given, MODE, placed.stratum)
    flags = flags if placed.digest == placed.answer.digest else []
    texts = {name: str(answers.pop(name)) for name in text_keys(questionnaire, answers)}
    older = ["old_digest"] if placed.digest != wave.questionnaire_digest else []
    response = Judgement(
        record_id=str(uuid.uuid4()),
        revision=1,
        wave_id=wave.id,
        questionnaire_digest=placed.digest,
        site=placed.stratum,
        mode=MODE,
        language=placed.language,
        answered_on=max(placed.week, wave.opens_on),
        complete=True,
        assisted=None,
        practice=False,
        answers=answers,
        other_answers={},
        flags=sorted({*flags, *older}),
    )
    return response, texts


def _compact() -> None:
    """What was taken from the pool, and where rows lay, is gone from the files of the database."""
    db.session.rollback()  # the request that closes the wave may itself be a reader that holds the log
    statements = (*_REWRITTEN, *_EMPTIED) if db.engine.dialect.name == "postgresql" else ("VACUUM",)
    with one_writer(db.engine), db.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        before = getattr(driver, "autocommit", None)
        if before is not None:
            driver.autocommit = True  # none of these runs inside a transaction
        try:
            for statement in statements:
                driver.cursor().execute(statement)
        except db.engine.dialect.loaded_dbapi.Error as error:
            if unavailable(error, db.engine.dialect.loaded_dbapi):
                raise DatabaseUnavailable(f"Base indisponible\u00a0: {error}") from error
            raise
        finally:
            if before is not None:
                driver.autocommit = before
    if not empty_the_log_of_sqlite():
        raise MixingError(
            "Une lecture en cours garde l’ancien journal de la base. "
            "La clé sera détruite dès qu’elle sera finie\u00a0: cela se fait tout seul."
        )
    reached("compacted")


def _destroy_key(wave_id: str, actor: str, now: dt.datetime) -> None:
    frame = db.session.get_one(WaveFrame, wave_id, populate_existing=True)
    key_id = str(frame.key_id)
    db.session.rollback()
    wave_keys.held().destroy(wave_id, key_id)
    reached("destroyed")
    with write_transaction() as transaction:
        pool.forget_drafts(transaction.connection(), wave_id)
        mine = sa.update(WaveFrame).where(WaveFrame.wave_id == wave_id, WaveFrame.key_destroyed_at.is_(None))
        first: Any = transaction.execute(mine.values(key_destroyed_at=now))
        if first.rowcount == 1:
            detail = {"key": key_id}
            audit.record(transaction, "wave-key-destroyed", actor=actor, subject=wave_id, detail=detail)
    reached("recorded")
