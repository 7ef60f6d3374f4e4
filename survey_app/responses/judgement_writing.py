"""What judgements do in one transaction: records are marked, responses written, tallies changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.models import InboxRecord, Response, Wave
from survey_app.responses import counting, tallies
from survey_app.responses.flags import COUNTED_APART, OTHER_DEVICE
from survey_app.responses.judge import Judgement
from survey_app.responses.judged import IN_BATCH, Judged, Key, earlier_responses
from survey_app.responses.sent_anew import counted_apart
from survey_app.responses.set_aside import SUPERSEDED, change, decide

_MARK_JUDGED = (
    sa.update(InboxRecord)
    .where(IN_BATCH, InboxRecord.judged_at.is_(None))
    .values(judged_at=sa.bindparam("now"))
    .returning(InboxRecord.id, InboxRecord.revision)
)
_INSERT_RESPONSE = sa.insert(Response)
_RESPONSE_COLUMNS = tuple(Response.__table__.columns.keys())
_SEALED = sa.select(Wave.id).where(Wave.sealed_at.is_not(None))


def write_judgements(connection: Connection, judged: Iterable[Judged], now: dt.datetime) -> int:
    """Mark, write and count, in the caller's transaction. Finished records first: they supersede others."""
    tallies.lock(connection)
    ordered = sorted(judged, key=lambda one: (not one.judgement.complete, one.key))
    marked = connection.execute(_MARK_JUDGED, {"keys": [one.key for one in ordered], "now": now})
    # Another judge may have been faster with some of them.
    ours = {(row.id, row.revision) for row in marked}
    mine = _after_sealing(connection, [one for one in ordered if one.key in ours])
    mine = _counted_apart(connection, mine)
    tallies.refresh_layouts(connection, {one.judgement.questionnaire_digest for one in mine})
    tallies.apply(connection, tallies.summed(_store(connection, mine, now)))
    return len(mine)


def _after_sealing(connection: Connection, judged: Sequence[Judged]) -> list[Judged]:
    """What was judged while its wave was being sealed came too late: the figures of a sealed wave stand."""
    waves = {one.judgement.wave_id for one in judged}
    sealed = set(connection.scalars(_SEALED.where(Wave.id.in_(waves)))) if waves else set()
    return [_flagged(one, "sealed_wave") if one.judgement.wave_id in sealed else one for one in judged]


def _counted_apart(connection: Connection, judged: Sequence[Judged]) -> list[Judged]:
    """The referent may have counted the same answers while the person was about to send them anew."""
    twice = counted_apart(connection, {one.key: one.form for one in judged if one.form})
    return [_flagged(one, COUNTED_APART) if one.key in twice else one for one in judged]


def _flagged(one: Judged, flag: str) -> Judged:
    flags = sorted({*one.judgement.flags, flag})
    return replace(one, judgement=replace(one.judgement, flags=flags))


def _store(
    connection: Connection, judged: Sequence[Judged], now: dt.datetime
) -> list[tuple[tallies.CellKey, Any]]:
    """Write the responses; the changes of the tallies that follow."""
    earlier = earlier_responses(connection, {one.judgement.record_id for one in judged})
    new: list[Judgement] = []
    superseded: dict[Key, Any] = {}
    for one in judged:
        before = earlier[one.judgement.record_id]
        if _takes_back(one.judgement):
            superseded |= {(row.record_id, row.revision): row for row in before if not row.complete}
        elif (judgement := _to_store(one, before)) is not None:
            if judgement.counted:
                superseded |= {(row.record_id, row.revision): row for row in before}
            if OTHER_DEVICE not in judgement.flags:
                before.append(judgement)
            new.append(judgement)
    insert_responses(connection, new)
    counted = [change(connection, judgement, +1) for judgement in new if judgement.counted]
    return [*counted, *_supersede(connection, list(superseded.values()), now)]


def _takes_back(judgement: Judgement) -> bool:
    """A withdrawal from elsewhere, or one that comes too late, changes no figure."""
    return judgement.withdrawn and judgement.counted


def _to_store(one: Judged, earlier: Sequence[Any]) -> Judgement | None:
    """The response to write, with what only its earlier revisions tell; None where it comes too late."""
    judgement = one.judgement
    if judgement.withdrawn or one.taken_back:
        return None
    if not judgement.complete and (not one.keep_partial or _is_outdated(judgement, earlier)):
        return None
    if judgement.complete and any(row.complete for row in earlier):
        return replace(judgement, flags=sorted({*judgement.flags, "second_finish"}))
    return judgement


def insert_responses(connection: Connection, judgements: Iterable[Judgement]) -> None:
    """The rows of these judgements. The caller changes the tallies, in the same transaction."""
    rows = [{name: getattr(judgement, name) for name in _RESPONSE_COLUMNS} for judgement in judgements]
    if rows:
        connection.execute(_INSERT_RESPONSE, rows)


def _is_outdated(partial: Judgement, earlier: Iterable[Any]) -> bool:
    return any(row.complete or row.revision > partial.revision for row in earlier)


def _supersede(
    connection: Connection, earlier: Sequence[Any], now: dt.datetime
) -> list[tuple[tallies.CellKey, Any]]:
    """Set the earlier revisions aside; take those that were counted out of their cells."""
    counted = counting.counted_among(connection, earlier)
    for row in counted:
        decide(connection, row, counting.SET_ASIDE, SUPERSEDED, "", "intake", now)
    return [change(connection, row, -1) for row in counted]
