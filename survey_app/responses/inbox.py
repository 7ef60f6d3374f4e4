"""Step one of the intake: the raw bytes, once, on disk; then the receipt. Nothing is parsed beyond the frame.

Same id, same bytes: the same receipt, however often and from however many processes. Same id, other bytes:
kept apart as a conflict. A crash after the commit and before the answer costs nothing: the resend gets the
receipt.
"""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from survey_app.database import Base, db, write_connection
from survey_app.models import InboxConflict, InboxRecord, ServerFact
from survey_app.responses.credentials import Credential, receipt_mac
from survey_app.responses.envelope import HashMismatch, UnreadableEnvelope, content_hash, read_envelope
from survey_app.responses.group_commit import GroupCommit

__all__ = ["HashMismatch", "Receipt", "UnreadableEnvelope", "accept", "accept_all", "epoch"]

Row = dict[str, Any]


def _insert_or_ignore(model: type[Base]) -> Mapping[str, Any]:
    """Built once: making a statement costs more than running it."""
    insert: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    return {name: make(model.__table__).on_conflict_do_nothing() for name, make in insert.items()}


_INSERT_RECORD = _insert_or_ignore(InboxRecord)
_INSERT_CONFLICT = _insert_or_ignore(InboxConflict)
_INSERT_FACT = _insert_or_ignore(ServerFact)
_SELECT_EPOCH = sa.select(ServerFact.value).where(ServerFact.key == "epoch")
_SELECT_STORED = sa.select(
    InboxRecord.id, InboxRecord.revision, InboxRecord.content_hash, InboxRecord.received_at
).where(InboxRecord.id.in_(sa.bindparam("ids", expanding=True)))


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
        return {**asdict(self), "mac": mac}


def accept(
    raw: bytes,
    *,
    source: str,
    credential: Credential,
    expected_hash: str | None = None,
    now: dt.datetime | None = None,
    flags: Sequence[str] = (),
) -> Receipt:
    """Store one record durably and give its receipt.

    Raises
    ------
    HashMismatch
        The bytes are not those whose hash was announced: truncated or changed on the way.
    UnreadableEnvelope
        The frame cannot be read.
    DatabaseUnavailable
        Nothing was stored (or it cannot be known): the sender keeps the record and sends it again.
    """
    row = _row(raw, source, credential, now or dt.datetime.now(dt.UTC), flags, expected_hash)
    return _commits.submit(db.engine, [row])[0]


def accept_all(
    raws: Iterable[bytes], *, source: str, credential: Credential, now: dt.datetime | None = None
) -> list[Receipt | UnreadableEnvelope]:
    """Store many records in one commit; the fate of each in order. One bad record never blocks the others."""
    moment = now or dt.datetime.now(dt.UTC)
    fates: list[Row | UnreadableEnvelope] = []
    for raw in raws:
        try:
            fates.append(_row(raw, source, credential, moment, (), None))
        except UnreadableEnvelope as error:
            fates.append(error)
    receipts = iter(_commits.submit(db.engine, [fate for fate in fates if isinstance(fate, dict)]))
    return [next(receipts) if isinstance(fate, dict) else fate for fate in fates]


def epoch() -> str:
    """The identity of this database's history; it changes when a backup is restored."""
    with write_connection() as connection:
        return _epoch(connection)


def _row(
    raw: bytes,
    source: str,
    credential: Credential,
    now: dt.datetime,
    flags: Sequence[str],
    expected_hash: str | None,
) -> Row:
    digest = content_hash(raw)
    if expected_hash is not None and not hmac.compare_digest(digest.encode(), expected_hash.lower().encode()):
        raise HashMismatch("the bytes received do not have the announced hash")
    envelope = read_envelope(raw)
    return {
        "id": envelope.id,
        "revision": envelope.revision,
        "content_hash": digest,
        "envelope": raw,
        "source": source,
        "device_id": credential.device_id,
        "seq": envelope.seq,
        "prev": envelope.prev,
        "site": credential.site,
        "wave_id": envelope.wave,
        "flags": [*flags, *_credential_flags(credential, envelope.device)],
        "received_at": now,
        "judged_at": None,
    }


def _credential_flags(credential: Credential, claimed_device: str | None) -> list[str]:
    flags = ["revoked_device"] if credential.revoked else []
    if claimed_device is not None and claimed_device != credential.device_id:
        flags.append("foreign_device")
    return flags


def _store(connection: Connection, rows: Sequence[Row]) -> list[Receipt]:
    current_epoch = _epoch(connection)
    # One order for all processes, so that two batches with the same ids cannot wait for each other in a ring.
    ordered = sorted(rows, key=lambda row: (row["id"], row["revision"]))
    dialect = connection.dialect.name
    connection.execute(_INSERT_RECORD[dialect], ordered)
    stored = _stored(connection, {row["id"] for row in rows})
    conflicts = [row for row in ordered if stored[row["id"], row["revision"]][0] != row["content_hash"]]
    if conflicts:
        connection.execute(_INSERT_CONFLICT[dialect], [_conflict(row) for row in conflicts])
    return [_receipt(row, stored[row["id"], row["revision"]], current_epoch) for row in rows]


def _stored(connection: Connection, ids: set[str]) -> dict[tuple[str, int], tuple[str, dt.datetime]]:
    found = connection.execute(_SELECT_STORED, {"ids": list(ids)})
    return {(row.id, row.revision): (row.content_hash, row.received_at) for row in found}


def _conflict(row: Row) -> Row:
    return {name: row[name] for name in InboxConflict.__table__.columns.keys()}  # noqa: SIM118 (not a dict)


def _receipt(row: Row, stored: tuple[str, dt.datetime], current_epoch: str) -> Receipt:
    first_hash, first_time = stored
    conflict = first_hash != row["content_hash"]
    stored_at = row["received_at"] if conflict else first_time
    return Receipt(
        row["id"],
        row["revision"],
        row["content_hash"],
        current_epoch,
        stored_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        conflict,
    )


def _epoch(connection: Connection) -> str:
    found = connection.scalar(_SELECT_EPOCH)
    if found is None:
        first = {"key": "epoch", "value": uuid.uuid4().hex}
        connection.execute(_INSERT_FACT[connection.dialect.name], first)
        found = connection.scalar(_SELECT_EPOCH)
    return str(found)


_commits: GroupCommit[Row, Receipt] = GroupCommit(_store)
