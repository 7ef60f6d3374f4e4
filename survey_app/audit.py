"""What staff did, in order: one line per act, in the transaction of the act itself. Floor 4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.database import db
from survey_app.models import AuditEntry


def record(
    transaction: Session, action: str, *, actor: str, subject: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Add a line to the open transaction: it stays exactly if the act does."""
    now = datetime.now(tz=UTC)
    transaction.add(
        AuditEntry(at=now, actor=actor, action=action, subject=subject, detail=dict(detail or {}))
    )


def latest(limit: int, before: int | None = None) -> Sequence[AuditEntry]:
    """The newest lines first; `before` an id, to page back."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    return db.session.scalars(query if before is None else query.where(AuditEntry.id < before)).all()
