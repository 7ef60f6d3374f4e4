"""The few responses that somebody should look at, found without reading the many others.

An index holds the flagged ones and those of practice alone (``ix_response_noteworthy``): in a wave of a
million the pages about them cost what these few cost.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.models import InboxConflict, Response, Wave
from survey_app.responses import counting
from survey_app.responses.flags import counted_by_default

Key = tuple[str, int]
# Literally the condition of the index: with bound values the databases would not recognise it.
_NOTEWORTHY = sa.text("(response.practice OR CAST(response.flags AS TEXT) <> '[]')")
_COLUMNS = tuple(Response.__table__.columns)
_OF_WAVE = Response.wave_id == sa.bindparam("wave_id", type_=sa.String)
_FLAGGED_OF_WAVE = sa.select(*_COLUMNS).where(_OF_WAVE, _NOTEWORTHY)
_SELECT_CONFLICTS = sa.select(InboxConflict.id, InboxConflict.revision)
_SELECT_BY_ID = sa.select(*_COLUMNS).where(Response.record_id.in_(sa.bindparam("ids", expanding=True)))


def reasons_not_counted(connection: Connection, wave_id: str) -> dict[str, int]:
    """How many responses of a wave are not counted, by reason: for the method sheet."""
    decisions = counting.latest_reasons(connection, wave_id)
    totals: dict[str, int] = defaultdict(int)
    for row in connection.execute(_FLAGGED_OF_WAVE, {"wave_id": wave_id}):
        action, _ = decisions.get((row.record_id, row.revision), (None, ""))
        if action != counting.SET_ASIDE and not counting.is_counted(row, action):
            totals[_first_reason(row)] += 1
    for action, reason in decisions.values():
        if action == counting.SET_ASIDE:
            totals[reason] += 1
    return dict(totals)


def _first_reason(row: Any) -> str:
    if row.practice:
        return "practice"
    return next((code for code in row.flags if not counted_by_default([code], practice=False)), "review")


def flag_totals(connection: Connection, wave_id: str) -> dict[str, int]:
    """How often each flag was raised in a wave, practice left out."""
    flagged = connection.execute(_FLAGGED_OF_WAVE, {"wave_id": wave_id})
    return dict(Counter(code for row in flagged if not row.practice for code in row.flags))


def to_review(connection: Connection, wave_id: str | None) -> tuple[list[Any], set[Key]]:
    """The flagged or disputed responses of a wave (None: of no known wave), and which are disputed."""
    belongs = _OF_WAVE if wave_id else sa.func.coalesce(Response.wave_id, "").not_in(sa.select(Wave.id))
    query = sa.select(*_COLUMNS).where(belongs, Response.practice.is_(False), _NOTEWORTHY)
    rows = {_key(row): row for row in connection.execute(query, {"wave_id": wave_id} if wave_id else {})}
    disputed = {_key(row): row for row in _disputed(connection, wave_id)}
    in_order = sorted((rows | disputed).values(), key=lambda row: (row.answered_on, *_key(row)))
    return in_order, set(disputed)


def _disputed(connection: Connection, wave_id: str | None) -> list[Any]:
    """The responses under whose number other bytes came too.

    By their ids first: databases without statistics would go through the whole wave instead.
    """
    keys = {(row.id, row.revision) for row in connection.execute(_SELECT_CONFLICTS)}
    known = set(connection.scalars(sa.select(Wave.id)))
    ids = {"ids": sorted({record_id for record_id, _ in keys})}
    rows = connection.execute(_SELECT_BY_ID, ids) if keys else ()
    return [
        row
        for row in rows
        if _key(row) in keys
        and not row.practice
        and (row.wave_id == wave_id if wave_id else row.wave_id not in known)
    ]


def _key(row: Any) -> Key:
    return row.record_id, row.revision
