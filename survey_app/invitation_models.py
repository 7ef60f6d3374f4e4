"""The tables of a survey by personal link: who is asked, what was mailed, and what came back.

Two sides that share no key, no order and no time. Participation: ``Invitation`` and its mails. Answers:
``SealedAnswer``, later ``Response`` and ``AnonymousText``. Nothing refers from one side to the other, and
nothing on the side of participation says when somebody answered. Numbers are random, and SQLite stores these
tables by them, not by arrival.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.database import Base, UTCDateTime
from survey_app.models import Code, Digest, Identifier, Wave

_BY_NUMBER = {"sqlite_with_rowid": False}


def random_number() -> str:
    """128 random bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


class SamplingFrame(Base):
    """A list of officials as it was imported: which file, of whom, of which day."""

    __tablename__ = "sampling_frame"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    """Where the addresses come from, as every mail says it."""
    source_date: Mapped[dt.date]
    file_name: Mapped[str] = mapped_column(Text)
    file_hash: Mapped[str] = mapped_column(Digest)
    imported_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    imported_by: Mapped[str] = mapped_column(Text)
    units: Mapped[list[SampledUnit]] = relationship(back_populates="frame")


class SampledUnit(Base):
    """One mandate of a frame: an authority, and who holds an office there.

    Birth data and political nuance are never stored.
    """

    __tablename__ = "sampled_unit"
    id: Mapped[str] = mapped_column(Identifier, primary_key=True, default=random_number)
    frame_id: Mapped[int] = mapped_column(ForeignKey(SamplingFrame.id), index=True)
    line: Mapped[int]
    """Its line in the file."""
    authority_kind: Mapped[str] = mapped_column(Code)
    """``commune``, ``intercommunality`` or ``department``."""
    authority_code: Mapped[str] = mapped_column(Code)
    """INSEE code of five characters, or SIREN."""
    authority_name: Mapped[str] = mapped_column(Text)
    arrondissement: Mapped[str | None] = mapped_column(Code)
    inhabitants: Mapped[int | None]
    office: Mapped[str] = mapped_column(Code)
    """``mayor``, ``deputy``, ``president``, … ; empty where the file names no person."""
    civility: Mapped[str] = mapped_column(Text, default="")
    first_name: Mapped[str] = mapped_column(Text, default="")
    last_name: Mapped[str] = mapped_column(Text, default="")
    person: Mapped[str] = mapped_column(Identifier, default=random_number)
    """The same for all mandates of one person in this frame."""
    email: Mapped[str | None] = mapped_column(Text)
    postal_address: Mapped[str | None] = mapped_column(Text)
    """As on the envelope, lines separated by a newline."""
    frame: Mapped[SamplingFrame] = relationship(back_populates="units")


class WaveFrame(Base):
    """The frozen snapshot a wave by personal link works on: its units, its N per stratum, its terms."""

    __tablename__ = "wave_frame"
    wave_id: Mapped[str] = mapped_column(ForeignKey(Wave.id), primary_key=True)
    frame_id: Mapped[int] = mapped_column(ForeignKey(SamplingFrame.id))
    unit: Mapped[str] = mapped_column(Code)
    """``authority`` (one link each) or ``person``."""
    kinds: Mapped[list[Any]] = mapped_column(JSON, default=list)
    """The kinds of authorities that are asked."""
    strata: Mapped[list[Any]] = mapped_column(JSON, default=list)
    """``{"code", "title", "arrondissement", "population", "merged_into"}`` for each stratum: N as frozen.

    The N of a stratum that stands (``merged_into`` is null) includes those that were merged into it.
    """
    population: Mapped[int]
    source_hash: Mapped[str] = mapped_column(Digest)
    """SHA-256 over the units as frozen."""
    frozen_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    frozen_by: Mapped[str] = mapped_column(Text)
    nominative: Mapped[bool] = mapped_column(default=False)
    """Fewer than 22 people were asked: declared so, and every page says it."""
    results_until: Mapped[dt.date | None]
    """The last day on which a link opens the results."""
    key_id: Mapped[str | None] = mapped_column(Code)
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Answers are sealed to it; its private half is a file outside the database."""
    key_destroyed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    mixed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    participation: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """As the closing found it: ``{stratum: {disposition: people}}``, see ``responses/participation.py``."""
    wave: Mapped[Wave] = relationship()
    frame: Mapped[SamplingFrame] = relationship()


class Objection(Base):
    """Somebody who is never to be asked again, over all imports: the keyed hash of the address is kept."""

    __tablename__ = "objection"
    address_hash: Mapped[str] = mapped_column(Digest, primary_key=True)
    since: Mapped[dt.date]
    origin: Mapped[str] = mapped_column(Code)
    """``link``, ``one_click``, ``mail`` or ``referent``."""


class Invitation(Base):
    """The right of one unit to give one answer. No time and no answer: flags only."""

    __tablename__ = "invitation"
    id: Mapped[str] = mapped_column(Identifier, primary_key=True, default=random_number)
    wave_id: Mapped[str] = mapped_column(ForeignKey(Wave.id), index=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey(SampledUnit.id))
    stratum: Mapped[str] = mapped_column(Code)
    generation: Mapped[int] = mapped_column(default=1)
    """Goes up when the link is passed on or issued anew: only the newest link is alive."""
    token_hash: Mapped[str] = mapped_column(Digest, unique=True)
    letter_code_hash: Mapped[str | None] = mapped_column(Digest, unique=True)
    """Of the short code on a printed letter."""
    email: Mapped[str | None] = mapped_column(Text)
    """Where its mails go; another address than the unit's once it was passed on."""
    passed_on: Mapped[bool] = mapped_column(default=False)
    started: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(Code, default="waiting")
    """``waiting``, ``answered``, ``declined``, ``wrong_person``, ``unreachable``, ``objected``,
    ``withdrawn`` or, once the answers are mixed, ``over``."""
    unit: Mapped[SampledUnit] = relationship()
    __table_args__ = (UniqueConstraint("wave_id", "unit_id"), Index(None, "unit_id"), _BY_NUMBER)


class SavedInterview(Base):
    """An interview to be gone on with elsewhere, encrypted under its link and a secret of the wave."""

    __tablename__ = "saved_interview"
    invitation_id: Mapped[str] = mapped_column(ForeignKey(Invitation.id), primary_key=True)
    generation: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Padded: its size says nothing of the answers."""
    __table_args__ = (_BY_NUMBER,)


class SealedAnswer(Base):
    """The pool: an answer, padded to one size and sealed to the wave's key, under a number of its own."""

    __tablename__ = "sealed_answer"
    id: Mapped[str] = mapped_column(Identifier, primary_key=True, default=random_number)
    wave_id: Mapped[str] = mapped_column(ForeignKey(Wave.id), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    unreadable: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """The mixing could not open it: it is kept, and the others go without it when the referent says so."""
    __table_args__ = (_BY_NUMBER,)


class AnonymousText(Base):
    """A free text of a mixed answer, beside neither its stratum, nor its week, nor the other answers."""

    __tablename__ = "anonymous_text"
    id: Mapped[str] = mapped_column(Identifier, primary_key=True, default=random_number)
    wave_id: Mapped[str] = mapped_column(ForeignKey(Wave.id), index=True)
    item: Mapped[str] = mapped_column(Code)
    text: Mapped[str] = mapped_column(Text)
    __table_args__ = (_BY_NUMBER,)


class Mailing(Base):
    """One text to many: invitation, reminder, results. Its placeholders are filled when a message leaves."""

    __tablename__ = "mailing"
    id: Mapped[int] = mapped_column(primary_key=True)
    wave_id: Mapped[str] = mapped_column(ForeignKey(Wave.id), index=True)
    kind: Mapped[str] = mapped_column(Code)
    """``invitation``, ``reminder``, ``results``."""
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    """Plain text with placeholders; the HTML part is made from it."""
    state: Mapped[str] = mapped_column(Code, default="draft")
    """``draft``, ``scheduled``, ``stopped`` or ``done``."""
    due_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    per_minute: Mapped[int] = mapped_column(default=30)
    attachment: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """Megabytes: read for the one message that leaves, never by who looks for the next."""
    attachment_name: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    created_by: Mapped[str] = mapped_column(Text)
    scheduled_by: Mapped[str | None] = mapped_column(Text)
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """State → messages, once the mixing forgot to whom: who got a reminder had not answered."""


class MailMessage(Base):
    """One message of a mailing to one invitation. Holds no text and no link: both are made when it leaves."""

    __tablename__ = "mail_message"
    id: Mapped[int] = mapped_column(primary_key=True)
    mailing_id: Mapped[int] = mapped_column(ForeignKey(Mailing.id), index=True)
    invitation_id: Mapped[str] = mapped_column(ForeignKey(Invitation.id), index=True)
    state: Mapped[str] = mapped_column(Code, default="queued")
    """``queued``, ``sending``, ``sent``, ``uncertain``, ``refused``, ``bounced`` or ``cancelled``."""
    message_id: Mapped[str] = mapped_column(Text, unique=True)
    return_tag: Mapped[str] = mapped_column(Code, unique=True)
    """Opaque part of the return path: a bounce names it."""
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    last_reply: Mapped[str] = mapped_column(Text, default="")
    """What the relay or the bounce said last, without any address."""
    changed_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        UniqueConstraint("mailing_id", "invitation_id"),
        Index("ix_mail_message_state_next_try_at", "state", "next_try_at"),
    )
