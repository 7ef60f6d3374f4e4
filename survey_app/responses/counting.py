"""Whether a response counts: the latest decision of a person about it, else its flags."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.models import Response, ResponseSetAside
from survey_app.responses.flags import countable, counted_by_default

SET_ASIDE, REINSTATED = "set_aside", "reinstated"


def counted_responses(connection: Connection, wave_id: str) -> Iterator[Any]:
    """The rows of ``Response`` that the tallies of this wave hold, decisions of the referent included."""
    decisions = latest_decisions(connection, wave_id)
    query = sa.select(*Response.__table__.columns).where(Response.wave_id == wave_id)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        if is_counted(row, decisions.get((row.record_id, row.revision))):
            yield row


def counted_among(connection: Connection, responses: Sequence[Any]) -> list[Any]:
    """Those of these responses that count now."""
    decisions = decisions_about(connection, {row.record_id for row in responses}) if responses else {}
    return [row for row in responses if is_counted(row, decisions.get((row.record_id, row.revision)))]


def latest_decisions(connection: Connection, wave_id: str) -> dict[tuple[str, int], str]:
    """The standing decision about each response of a wave that has one."""
    return {key: action for key, (action, _) in latest_reasons(connection, wave_id).items()}


def decisions_about(connection: Connection, record_ids: Collection[str]) -> dict[tuple[str, int], str]:
    """The standing decision about each response of these records that has one."""
    table = ResponseSetAside
    query = sa.select(table.record_id, table.revision, table.action).where(table.record_id.in_(record_ids))
    return {(row.record_id, row.revision): row.action for row in connection.execute(query.order_by(table.id))}


def is_counted(response: Any, decision: str | None) -> bool:
    """Whether a response is in the tallies: the standing decision, else its flags."""
    if decision is None:
        return counted_by_default(response.flags, practice=response.practice)
    return decision == REINSTATED and countable(response.flags, practice=response.practice)


def latest_reasons(connection: Connection, wave_id: str) -> dict[tuple[str, int], tuple[str, str]]:
    """The standing decision about each response, with its reason."""
    table, its = ResponseSetAside, Response
    # Decisions first, their responses then: a join may go through all responses of the wave instead.
    same = (its.record_id == table.record_id, its.revision == table.revision, its.wave_id == wave_id)
    query = sa.select(*table.__table__.columns).where(sa.exists().where(*same)).order_by(table.id)
    return {(row.record_id, row.revision): (row.action, row.reason) for row in connection.execute(query)}
