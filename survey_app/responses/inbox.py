"""Step one of the intake: the raw bytes, once, on disk; then the receipt. Nothing is parsed beyond the frame.

Same id, same bytes: the same receipt, however often and from however many processes. Same id, other bytes:
kept apart as a conflict. A crash after the commit and before the answer costs nothing: the resend gets the
receipt.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from survey_app import server_facts
from survey_app.database import Base, db
from survey_app.models import InboxConflict, InboxRecord, ServerFact
from survey_app.prepared import Prepared, write_cursor
from survey_app.responses.credentials import Credential, receipt_mac
from survey_app.responses.envelope import UnreadableEnvelope, content_hash, read_envelope
from survey_app.responses.group_commit import GroupCommit

__all__ = [
    "Receipt",
    "UnreadableEnvelope",
    "accept",
    "accept_all",
    "epoch",
    "seconds_at_rest",
]

Row = dict[str, Any]


def _insert_or_ignore(model: type[Base]) -> Prepared:
    insert: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    return Prepared(lambda dialect: insert[dialect](model.__table__).on_conflict_do_nothing())


_INSERT_RECORD = _insert_or_ignore(InboxRecord)
_INSERT_CONFLICT = _insert_or_ignore(InboxConflict)
_INSERT_FACT = _insert_or_ignore(ServerFact)
_SELECT_HISTORY = Prepared(
    lambda _: sa.select(ServerFact.key, ServerFact.value).where(
        (ServerFact.key == server_facts.EPOCH) | (ServerFact.key == server_facts.BACKUP_WATERMARK)
    )
)
_SELECT_STORED = Prepared(
    lambda _: sa.select(InboxRecord.content_hash, InboxRecord.received_at).where(
        InboxRecord.id == sa.bindparam("id", type_=sa.String),
        InboxRecord.revision == sa.bindparam("revision", type_=sa.Integer),
    )
)
_SELECT_ENVELOPE = Prepared(
    lambda _: sa.select(InboxRecord.envelope).where(
        InboxRecord.id == sa.bindparam("id", type_=sa.String),
        InboxRecord.revision == sa.bindparam("revision", type_=sa.Integer),
    )
)


@dataclass(frozen=True)
class Receipt:
    """The proof that these bytes are on disk. ``conflict``: other bytes were there first; both are kept."""

    id: str
    revision: int
    sha256: str
    epoch: str
    stored_at: str
    conflict: bool = False

    def as_json(self, key: bytes) -> dict[str, Any]:
        """The receipt with its code, ready to be sent to the holder of this key."""
        mac = receipt_mac(
            key,
            id=self.id,
            revision=self.revision,
            sha256=self.sha256,
            epoch=self.epoch,
            stored_at=self.stored_at,
        )
        return {**vars(self), "mac": mac}


def accept(
    raw: bytes,
    *,
    source: str,
    credential: Credential,
    expected_id: str | None = None,
    now: dt.datetime | None = None,
    flags: Sequence[str] = (),
) -> Receipt:
    """Store one record durably and give its receipt.

    Raises
    ------
    UnreadableEnvelope
        The frame cannot be read, or names another record than was announced.
    DatabaseUnavailable
        Nothing was stored (or it cannot be known): the sender keeps the record and sends it again.
    """
    row = _row(raw, source, credential, now or dt.datetime.now(dt.UTC), flags)
    if expected_id is not None and row["id"] != expected_id:
        raise UnreadableEnvelope("id: another record was announced")
    return _commits.submit(db.engine, [row])[0]


def accept_all(
    raws: Iterable[bytes],
    *,
    source: str,
    credential: Credential,
    now: dt.datetime | None = None,
    flags: Sequence[str] = (),
) -> list[Receipt | UnreadableEnvelope]:
    """Store many records in one commit; the fate of each in order. One bad record never blocks the others."""
    moment = now or dt.datetime.now(dt.UTC)
    fates: list[Row | UnreadableEnvelope] = []
    for raw in raws:
        try:
            fates.append(_row(raw, source, credential, moment, flags))
        except UnreadableEnvelope as error:
            fates.append(error)
    receipts = iter(_commits.submit(db.engine, [fate for fate in fates if isinstance(fate, dict)]))
    return [next(receipts) if isinstance(fate, dict) else fate for fate in fates]


def stored_envelope(record_id: str, revision: int) -> bytes | None:
    """The bytes that stand under this number, until they are erased."""
    found = _SELECT_ENVELOPE.read(db.engine, id=record_id, revision=revision)
    return bytes(found[0].envelope) if found and found[0].envelope is not None else None


def seconds_at_rest() -> float:
    """Since when nobody brought a record to this process: whoever can wait lets the others go first."""
    return _commits.seconds_at_rest()


def epoch() -> str:
    """The identity of this database's history: what a restored backup is to be told by."""
    if found := _History(_SELECT_HISTORY.read(db.engine)).epoch:
        return found
    with write_cursor(db.engine) as cursor:
        return _history(cursor, db.engine.dialect).epoch


def _row(
    raw: bytes,
    source: str,
    credential: Credential,
    now: dt.datetime,
    flags: Sequence[str],
) -> Row:
    envelope = read_envelope(raw)
    return {
        "id": envelope.id,
        "revision": envelope.revision,
        "content_hash": content_hash(raw),
        "envelope": raw,
        "source": source,
        "device_id": credential.device_id,
        "seq": envelope.seq,
        "prev": envelope.prev,
        "site": credential.site,
        "wave_id": envelope.wave,
        "flags": [*flags, *credential_flags(credential, envelope.device)],
        "received_at": now,
        "judged_at": None,
    }


def credential_flags(credential: Credential, claimed_device: str | None) -> list[str]:
    """What is doubtful about whoever sends."""
    flags = ["revoked_device"] if credential.revoked else []
    if claimed_device is not None and claimed_device != credential.device_id:
        flags.append("foreign_device")
    return flags


def _store(cursor: Any, dialect: Dialect, rows: Sequence[Row]) -> list[Receipt]:
    history = _history(cursor, dialect)
    for row in rows:
        row["received_at"] = history.after_its_copies(row["received_at"])
    # One order for all processes, so that two batches with the same ids cannot wait for each other in a ring.
    ordered = sorted(rows, key=lambda row: (row["id"], row["revision"]))
    if _INSERT_RECORD.on(dialect).run(cursor, ordered) == len(ordered):
        return [_receipt(row, row["content_hash"], row["received_at"], history.epoch) for row in rows]
    stored = [_SELECT_STORED.on(dialect).rows(cursor, row)[0] for row in rows]
    pairs = list(zip(rows, stored, strict=True))
    conflicts = [_conflict(row) for row, first in pairs if first.content_hash != row["content_hash"]]
    if conflicts:
        _INSERT_CONFLICT.on(dialect).run(cursor, conflicts)
    return [_receipt(row, first.content_hash, first.received_at, history.epoch) for row, first in pairs]


def _conflict(row: Row) -> Row:
    return {name: row[name] for name in InboxConflict.__table__.columns.keys()}  # noqa: SIM118 (not a dict)


def _receipt(row: Row, first_hash: str, first_time: dt.datetime, current_epoch: str) -> Receipt:
    conflict = first_hash != row["content_hash"]
    stored_at = row["received_at"] if conflict else first_time
    return Receipt(
        row["id"],
        row["revision"],
        row["content_hash"],
        current_epoch,
        _written(stored_at),
        conflict,
    )


@lru_cache(maxsize=8)
def _written(moment: dt.datetime) -> str:
    """All the receipts of a batch name the same moment."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


class _History:
    """What the database says of its own history."""

    def __init__(self, facts: Iterable[Any]) -> None:
        known = {fact.key: fact.value for fact in facts}
        self.epoch: str = known.get(server_facts.EPOCH, "")
        self._watermark: str | None = known.get(server_facts.BACKUP_WATERMARK)

    def after_its_copies(self, now: dt.datetime) -> dt.datetime:
        """Now, or just after the watermark where the clock was set back, or the process stood still.

        A tablet lets go of what was received up to the watermark. What comes later is in no copy yet,
        whatever the clock says.
        """
        return now if self._watermark is None else max(now, _just_after(self._watermark))


@lru_cache(maxsize=8)
def _just_after(watermark: str) -> dt.datetime:
    return dt.datetime.fromisoformat(watermark) + dt.timedelta(microseconds=1)


def _history(cursor: Any, dialect: Dialect) -> _History:
    found = _History(_SELECT_HISTORY.on(dialect).rows(cursor, {}))
    if not found.epoch:
        _INSERT_FACT.on(dialect).run(cursor, [{"key": server_facts.EPOCH, "value": uuid.uuid4().hex}])
        found = _History(_SELECT_HISTORY.on(dialect).rows(cursor, {}))
    return found


_commits: GroupCommit[Row, Receipt] = GroupCommit(_store)
