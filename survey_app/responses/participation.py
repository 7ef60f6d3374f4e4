"""How the people asked by personal link ended, per stratum: counted as it is, then frozen by the closing.

What happens to an invitation afterwards (an objection, a mail of the results that comes back) changes no
published rate, and the counts outlive the list of the people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from survey_app.invitation_models import Invitation, Mailing, MailMessage, WaveFrame
from survey_app.responses import link_facts

SENT: Final = "sent"
CAME_BACK: Final = ("bounced", "refused")
ASKING: Final = ("invitation", "reminder")
"""The mailings that ask for an answer; that of the results does not."""

DISPOSITION: Final[Mapping[str, str]] = {
    link_facts.ANSWERED: "complete",
    link_facts.DECLINED: "refused",
    link_facts.OBJECTED: "refused",
    link_facts.WRONG_PERSON: "unreachable",
    link_facts.UNREACHABLE: "unreachable",
    link_facts.WITHDRAWN: "ineligible",
    link_facts.WAITING: "unknown",
}
"""State of an invitation → AAPOR's disposition. A questionnaire that was begun and not sent is no answer."""
ENDS: Final = ("complete", "refused", "unreachable", "ineligible", "unknown")
"""The dispositions in the order of the tables: everybody asked has one."""
ALSO: Final = ("started", "by_letter", "delivered")
"""What is counted beside the dispositions."""

Counts = Mapping[str, Mapping[str, int]]
"""Stratum as frozen, before any merging → disposition, or one of ``ALSO`` → people."""


def participation(source: Session | Connection, frame: WaveFrame) -> Counts:
    """The counts of a wave: those frozen when it was closed, or before that those of this moment."""
    return _counted(source, frame.wave_id) if frame.participation is None else frame.participation


def freeze_participation(source: Session | Connection, wave_id: str) -> None:
    """Keep the counts of this moment, in the transaction that ends the wave; nothing without invitations."""
    counts = _counted(source, wave_id)
    if counts:
        mine = sa.update(WaveFrame).where(WaveFrame.wave_id == wave_id)
        source.execute(mine.values(participation=counts))


def used_links(connection: Connection, wave_id: str) -> int:
    """How many gave their answer; where invitations tell it no more, as they were counted before."""
    states = sa.select(Invitation.state, sa.func.count()).where(Invitation.wave_id == wave_id)
    found = {row[0]: int(row[1]) for row in connection.execute(states.group_by(Invitation.state))}
    if found and link_facts.OVER not in found:
        return found.get(link_facts.ANSWERED, 0)
    frozen = sa.select(WaveFrame.participation).where(WaveFrame.wave_id == wave_id)
    return sum(counts.get("complete", 0) for counts in (connection.scalar(frozen) or {}).values())


def _counted(source: Session | Connection, wave_id: str) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for row in source.execute(_query(wave_id)):
        counts = found.setdefault(row.stratum, Counter())
        counts[DISPOSITION.get(row.state, "unknown")] += row.number
        for name in ALSO:
            counts[name] += row.number if getattr(row, name) else 0
    return {stratum: dict(counts) for stratum, counts in found.items()}


def _query(wave_id: str) -> sa.Select[Any]:
    """How many invitations there are of each kind."""
    mails = sa.select(MailMessage.id).join(Mailing, Mailing.id == MailMessage.mailing_id)
    mails = mails.where(MailMessage.invitation_id == Invitation.id, Mailing.kind.in_(ASKING))
    delivered = sa.and_(
        mails.where(MailMessage.state == SENT).exists(),
        sa.not_(mails.where(MailMessage.state.in_(CAME_BACK)).exists()),
    )
    kinds = (
        Invitation.stratum,
        Invitation.state,
        Invitation.started,
        Invitation.email.is_(None).label("by_letter"),
        delivered.label("delivered"),
    )
    one = sa.select(*kinds).where(Invitation.wave_id == wave_id).subquery()
    return sa.select(*one.c, sa.func.count().label("number")).group_by(*one.c)
