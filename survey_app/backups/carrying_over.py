"""What was decided since a copy was made, and must not be undone by it.

A tablet enrolled since stays known, or nothing that it sends would be taken; a stolen one stays revoked, a
closed account closed, an objection an objection, an erased answer erased, and a mail that left is not sent
again. All this is read from the database about to be replaced, where it can still be read, and written into
the one that takes its place. Either may have an older schema than this program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from survey_app.database import DatabaseUnavailable, UnsafeDatabaseError
from survey_app.device_models import Device
from survey_app.invitation_models import MailMessage, Objection
from survey_app.models import AuditEntry, InboxRecord, User

Rows = list[dict[str, Any]]
Query = sa.Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Kind:
    """One kind of decision: where it is read, and how it is written again."""

    name: str
    """French, plural, as the command says it."""
    query: Query
    again: Callable[[Connection, dict[str, Any]], int]
    """Writes one into the restored database; how many rows changed."""


@dataclass(frozen=True)
class Decisions:
    """What was decided in the database that is replaced."""

    found: Mapping[str, Rows] = field(default_factory=dict)
    readable: bool = True
    """False: there was a database, and it could not be read."""


@dataclass(frozen=True)
class CarriedOver:
    """What a restored database was told again."""

    changed: Mapping[str, int] = field(default_factory=dict)
    """Kind (French) → number."""
    erase_again: Sequence[str] = ()
    """Numbers of erased answers that are in the copy: ``responses/erasing.py`` takes them out."""
    readable: bool = True


def decisions_of(engine: Engine) -> Decisions:
    """What was decided in the database about to be replaced; an empty place says nothing."""
    try:
        with engine.connect() as connection:
            known = _columns(connection)
            found = {kind.name: _rows(connection, kind.query, known) for kind in KINDS}
    except (sa.exc.SQLAlchemyError, DatabaseUnavailable, UnsafeDatabaseError):
        return Decisions(readable=False)
    return Decisions(found)


def carry_over(connection: Connection, decisions: Decisions) -> CarriedOver:
    """Write all of it into the restored database, in the caller's transaction."""
    known = _columns(connection)
    changed = {}
    for kind in KINDS:
        columns = known.get(_table(kind.query), set())
        rows = decisions.found.get(kind.name, []) if columns else []
        told = [{name: value for name, value in row.items() if name in columns} for row in rows]
        changed[kind.name] = sum(kind.again(connection, row) for row in told)
    erased = [row["id"] for row in decisions.found.get(ERASED, ())]
    return CarriedOver(
        {name: number for name, number in changed.items() if number},
        _still_there(connection, erased),
        decisions.readable,
    )


def _columns(connection: Connection) -> dict[str, set[str]]:
    """Table → the names of its columns."""
    tables = sa.inspect(connection).get_multi_columns()
    return {name: {column["name"] for column in columns} for (_, name), columns in tables.items()}


def _table(query: Query) -> str:
    (table,) = (found for found in query.get_final_froms() if isinstance(found, sa.Table))
    return table.name


def _rows(connection: Connection, query: Query, known: Mapping[str, set[str]]) -> Rows:
    """Nothing from tables and columns that an older schema does not have."""
    columns = [column for column in query.selected_columns if column.name in known.get(_table(query), ())]
    if not columns:
        return []
    return [dict(row) for row in connection.execute(query.with_only_columns(*columns)).mappings()]


def _changed(connection: Connection, statement: sa.Update) -> int:
    result: Any = connection.execute(statement)
    return int(result.rowcount)


def _enrol(connection: Connection, row: dict[str, Any]) -> int:
    """With the highest number that it told: what it sent since is missing until it sends it again."""
    return _unless_there(connection, sa.insert(Device).values(row), Device.id == row["id"])


def _revoke(connection: Connection, row: dict[str, Any]) -> int:
    in_service = sa.and_(Device.id == row["id"], Device.state != row["state"])
    return _changed(connection, sa.update(Device).where(in_service).values(row))


def _close_account(connection: Connection, row: dict[str, Any]) -> int:
    open_still = sa.and_(User.email == row["email"], User.active)
    return _changed(connection, sa.update(User).where(open_still).values(row))


def _object(connection: Connection, row: dict[str, Any]) -> int:
    return _unless_there(
        connection, sa.insert(Objection).values(row), Objection.address_hash == row["address_hash"]
    )


def _leave_unsent(connection: Connection, row: dict[str, Any]) -> int:
    """A mail that was on its way when the database stopped is uncertain, as after any other stop."""
    state = "uncertain" if row["state"] == "sending" else row["state"]
    due = sa.and_(MailMessage.message_id == row["message_id"], MailMessage.state.in_(("queued", "sending")))
    return _changed(connection, sa.update(MailMessage).where(due).values({**row, "state": state}))


def _keep_number(connection: Connection, row: dict[str, Any]) -> int:
    """Number and hash without contents: sent again by its tablet, it gets its receipt and is no new one."""
    there = sa.and_(InboxRecord.id == row["id"], InboxRecord.revision == row["revision"])
    return _unless_there(connection, sa.insert(InboxRecord).values({**row, "envelope": None}), there)


def _unless_there(connection: Connection, insert: sa.Insert, there: sa.ColumnElement[bool]) -> int:
    if connection.scalar(sa.select(sa.literal(1)).where(sa.exists().where(there))):
        return 0
    connection.execute(insert)
    return 1


def _still_there(connection: Connection, numbers: Iterable[str]) -> list[str]:
    """Those whose contents the copy still holds."""
    wanted = [*numbers]
    full = sa.and_(InboxRecord.id.in_(wanted), InboxRecord.envelope.is_not(None))
    return sorted(set(connection.scalars(sa.select(InboxRecord.id).where(full))))


_ERASED_NUMBERS: Final = sa.select(AuditEntry.subject).where(AuditEntry.action == "response-erased")
_MAIL_THAT_LEFT: Final = sa.select(
    MailMessage.message_id,
    MailMessage.state,
    MailMessage.attempts,
    MailMessage.last_reply,
    MailMessage.changed_at,
).where(MailMessage.state != "queued")
ERASED: Final = "réponses effacées"
KINDS: Final = (
    Kind("tablettes inscrites", sa.select(*Device.__table__.columns), _enrol),
    Kind(
        "tablettes révoquées",
        sa.select(Device.id, Device.state, Device.revoked_at).where(Device.state == "revoked"),
        _revoke,
    ),
    Kind(
        "comptes fermés",
        sa.select(User.email, User.active, User.fs_uniquifier).where(~User.active),
        _close_account,
    ),
    Kind("oppositions", sa.select(*Objection.__table__.columns), _object),
    Kind("courriels déjà partis", _MAIL_THAT_LEFT, _leave_unsent),
    Kind(
        ERASED,
        sa.select(*InboxRecord.__table__.columns).where(InboxRecord.id.in_(_ERASED_NUMBERS)),
        _keep_number,
    ),
)
"""Those of passphrases and roles changed since are not among them: whoever restores looks at the accounts."""
