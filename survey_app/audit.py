"""What staff did, in order: one line per act, in the transaction of the act itself. Floor 4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.database import db, write_transaction
from survey_app.models import AuditEntry


@contextmanager
def act() -> Iterator[Session]:
    """One write transaction for something that staff do.

    ``db.session`` may have read before: it starts afresh afterwards, or it would go on seeing the old state.
    """
    with write_transaction() as transaction:
        yield transaction
    db.session.rollback()


def record(
    transaction: Session, action: str, *, actor: str, subject: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Add a line to the open transaction: it stays exactly if the act does."""
    now = datetime.now(tz=UTC)
    transaction.add(
        AuditEntry(at=now, actor=actor, action=action, subject=subject, detail=dict(detail or {}))
    )


def record_export(file: str, *, actor: str, subject: str, limits: Mapping[str, Any]) -> None:
    """Who took which file away, limited to what: from the pages and from the command line alike."""
    said = {name: value for name, value in limits.items() if value}
    with act() as transaction:
        record(transaction, "exported", actor=actor, subject=subject, detail={"file": file, **said})


def latest(limit: int, before: int | None = None) -> Sequence[AuditEntry]:
    """The newest lines first; `before` an id, to page back."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    return db.session.scalars(query if before is None else query.where(AuditEntry.id < before)).all()
