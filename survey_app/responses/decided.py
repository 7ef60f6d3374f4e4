"""Responses with what people decided: those that were set aside, and one by the number somebody knows.

Reading only. What the intake set aside by itself (an earlier state of the same questionnaire) is not listed:
nobody decided it, and nobody could count it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from survey_app.database import db
from survey_app.models import Response, ResponseSetAside
from survey_app.responses import counting
from survey_app.responses.counts import StoredResponse, stored_response
from survey_app.responses.set_aside import SUPERSEDED, standing

FOUND_AT_MOST = 20
"""A number names one response; only two of the same beginning could be more."""


@dataclass(frozen=True)
class Decision:
    """What somebody decided about a response, when and why."""

    action: str
    reason: str
    note: str
    by: str
    at: dt.datetime


@dataclass(frozen=True)
class DecidedResponse:
    """A response and the standing decision about it, if there is one."""

    response: StoredResponse
    decision: Decision | None


def set_aside_by_people(wave_id: str, *, offset: int, limit: int) -> list[DecidedResponse]:
    """The responses of a wave that somebody set aside, the latest decision first."""
    table, later = ResponseSetAside, aliased(ResponseSetAside)
    same = (later.record_id == table.record_id, later.revision == table.revision)
    overruled = sa.exists().where(*same, later.id > table.id)
    query = sa.select(table.record_id, table.revision).where(
        table.action == counting.SET_ASIDE, table.reason != SUPERSEDED, ~overruled, _of_wave(wave_id)
    )
    with db.engine.connect() as connection:
        page = connection.execute(query.order_by(table.id.desc()).offset(offset).limit(limit)).all()
        keys = [(row.record_id, row.revision) for row in page]
        decided = {_key(one.response): one for one in _decided(connection, _rows(connection, keys))}
    return [decided[key] for key in keys]


def find(wave_id: str, is_wanted: Callable[[str], bool]) -> list[DecidedResponse]:
    """The responses of a wave whose record id is wanted: the ids of a million are gone through in seconds."""
    ids = sa.select(Response.record_id).where(Response.wave_id == wave_id).distinct()
    with db.engine.connect() as connection:
        every = connection.execute(ids.execution_options(yield_per=10_000)).scalars()
        wanted = list(islice(filter(is_wanted, every), FOUND_AT_MOST))
        of_these = sa.select(*Response.__table__.columns).where(Response.record_id.in_(wanted))
        rows = connection.execute(of_these.order_by(Response.record_id)).all()
        revisions = [list(group) for _, group in groupby(rows, key=lambda row: row.record_id)]
        return _decided(connection, [standing(group) for group in revisions])


def _of_wave(wave_id: str) -> sa.ColumnElement[bool]:
    same = (
        Response.record_id == ResponseSetAside.record_id,
        Response.revision == ResponseSetAside.revision,
    )
    return sa.exists().where(*same, Response.wave_id == wave_id)


def _rows(connection: Connection, keys: Sequence[tuple[str, int]]) -> Sequence[Any]:
    these = sa.tuple_(Response.record_id, Response.revision).in_(keys)
    return connection.execute(sa.select(*Response.__table__.columns).where(these)).all() if keys else ()


def _decided(connection: Connection, rows: Iterable[Any]) -> list[DecidedResponse]:
    found = list(rows)
    table = ResponseSetAside
    query = sa.select(*table.__table__.columns).where(table.record_id.in_([row.record_id for row in found]))
    # The last of each response stays.
    decisions = {_key(row): row for row in connection.execute(query.order_by(table.id))}
    return [_with_decision(row, decisions.get(_key(row))) for row in found]


def _with_decision(row: Any, latest: Any) -> DecidedResponse:
    counted = counting.is_counted(row, latest.action if latest else None)
    decision = latest and Decision(latest.action, latest.reason, latest.note, latest.by, latest.at)
    return DecidedResponse(stored_response(row, counted), decision)


def _key(row: Any) -> tuple[str, int]:
    return row.record_id, row.revision
