"""The end of the term of the officials who were asked: list, invitations and mails go, the counts stay."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.clock import day_in_paris
from survey_app.invitation_models import (
    Invitation,
    MailMessage,
    SampledUnit,
    SamplingFrame,
    SavedInterview,
    WaveFrame,
)
from survey_app.models import Wave
from survey_app.responses.participation import freeze_participation

DRAFT = "draft"


def erase_officials(connection: Connection, cutoff: dt.datetime) -> int:
    """Whoever was asked in a wave whose results closed before then, and the lists that no other wave needs.

    Of a list that served, the row stays which says where its addresses came from.
    """
    last_day = sa.func.coalesce(WaveFrame.results_until, Wave.closes_on)
    ended = sa.and_(Wave.closes_on < day_in_paris(cutoff), last_day < day_in_paris(cutoff))
    found = sa.select(WaveFrame.wave_id, Wave.state).join(Wave, Wave.id == WaveFrame.wave_id).where(ended)
    waves = connection.execute(found).all()
    erased = sum(_erase_invitations(connection, row.wave_id) for row in waves)
    over = [row.wave_id for row in waves]
    drafts = [row.wave_id for row in waves if row.state == DRAFT]
    connection.execute(sa.delete(WaveFrame).where(WaveFrame.wave_id.in_(drafts)))
    return erased + _erase_lists(connection, over, cutoff)


def _erase_invitations(connection: Connection, wave_id: str) -> int:
    """A wave that nobody closed is counted now: the figures rest on it."""
    mine = sa.select(Invitation.id).where(Invitation.wave_id == wave_id)
    frozen = sa.select(WaveFrame.participation).where(WaveFrame.wave_id == wave_id)
    if connection.scalar(frozen) is None:
        freeze_participation(connection, wave_id)
    for table in (MailMessage, SavedInterview):
        connection.execute(sa.delete(table).where(table.invitation_id.in_(mine)))
    return connection.execute(sa.delete(Invitation).where(Invitation.wave_id == wave_id)).rowcount


def _erase_lists(connection: Connection, over: list[str], cutoff: dt.datetime) -> int:
    """Nobody goes whom an invitation still names, whatever list its wave was frozen on since."""
    used = sa.select(WaveFrame.frame_id)
    needed = used.where(WaveFrame.wave_id.not_in(over))
    old = sa.select(SamplingFrame.id).where(SamplingFrame.imported_at <= cutoff)
    past = SampledUnit.frame_id.in_(old.where(SamplingFrame.id.not_in(needed)))
    invited = sa.exists().where(Invitation.unit_id == SampledUnit.id)
    erased = connection.execute(sa.delete(SampledUnit).where(past, ~invited)).rowcount
    empty = ~sa.exists().where(SampledUnit.frame_id == SamplingFrame.id)
    unused = sa.and_(SamplingFrame.imported_at <= cutoff, SamplingFrame.id.not_in(used), empty)
    connection.execute(sa.delete(SamplingFrame).where(unused))
    return erased
