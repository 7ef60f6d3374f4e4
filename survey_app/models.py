"""The tables. Portable types only: every row means the same on SQLite and on PostgreSQL.

``InboxRecord``, ``InboxConflict``, ``Response`` and ``ResponseSetAside`` are append-only, held by triggers in
both databases (see the first migration); ``responses/purge.py`` is the only way through.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask_security import RoleMixin, UserMixin
from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.clock import day_in_paris
from survey_app.database import Base, UTCDateTime

Identifier = String(36)
Digest = String(64)
Code = String(80)
_WAITING = sa.text("judged_at IS NULL")
_NOTEWORTHY = sa.text("(practice OR CAST(flags AS TEXT) <> '[]')")


class ServerFact(Base):
    """One thing the server knows about itself: ``epoch`` (names this database's history), …"""

    __tablename__ = "server_fact"
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Survey(Base):
    """What is repeated from year to year: users, elected officials."""

    __tablename__ = "survey"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(Code, unique=True)
    title: Mapped[str] = mapped_column(Text)
    questionnaire_slug: Mapped[str] = mapped_column(Code)
    audience: Mapped[str] = mapped_column(Code)


class QuestionnaireVersion(Base):
    """A published questionnaire, frozen under its digest."""

    __tablename__ = "questionnaire_version"
    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    slug: Mapped[str] = mapped_column(Code, index=True)
    title: Mapped[str] = mapped_column(Text)
    canonical: Mapped[bytes] = mapped_column(LargeBinary)
    translations: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    source_yaml: Mapped[str] = mapped_column(Text)
    change_sentences: Mapped[list[Any]] = mapped_column(JSON, default=list)
    published_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    published_by: Mapped[str] = mapped_column(Text)


class QuestionnaireDraft(Base):
    """A questionnaire being prepared: text that may still hold faults."""

    __tablename__ = "questionnaire_draft"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(Code, index=True)
    source_yaml: Mapped[str] = mapped_column(Text)
    translations: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    uploaded_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    uploaded_by: Mapped[str] = mapped_column(Text)


class Wave(Base):
    """One edition of a survey: draft → open → closed → sealed → published."""

    __tablename__ = "wave"
    id: Mapped[str] = mapped_column(Code, primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey(Survey.id))
    title: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Code, default="draft")
    questionnaire_digest: Mapped[str] = mapped_column(ForeignKey(QuestionnaireVersion.digest))
    opens_on: Mapped[dt.date]
    closes_on: Mapped[dt.date]
    sites: Mapped[list[Any]] = mapped_column(JSON, default=list)
    languages: Mapped[list[Any]] = mapped_column(JSON, default=list)
    modes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    expected_visits: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    headline_modes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    headline_sites: Mapped[list[Any]] = mapped_column(JSON, default=list)
    anonymity: Mapped[str] = mapped_column(Code, default="anonymous")
    population: Mapped[int | None]
    threshold_numerator: Mapped[int] = mapped_column(default=3)
    threshold_denominator: Mapped[int] = mapped_column(default=4)
    confidence: Mapped[str] = mapped_column(Code, default="0.95")
    method: Mapped[str] = mapped_column(Code, default="wilson")
    minimum_base: Mapped[int] = mapped_column(default=30)
    synthetic: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    opened_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    sealed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    published_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    survey: Mapped[Survey] = relationship()
    questionnaire_version: Mapped[QuestionnaireVersion] = relationship()

    @property
    def last_day(self) -> dt.date:
        """The last day that it asks or asked."""
        return last_day_of(self.opens_on, self.closes_on, self.closed_at)


def last_day_of(opens_on: dt.date, closes_on: dt.date, closed_at: dt.datetime | None) -> dt.date:
    """The day of an edition's closing where that came before the planned end, else that end.

    One that was closed before it began keeps its plan: its dates can still move.
    """
    closed_on = closes_on if closed_at is None else day_in_paris(closed_at)
    return min(closed_on, closes_on) if closed_on >= opens_on else closes_on


class WaveQuestionnaire(Base):
    """Every digest a wave has been asked with, and since when."""

    __tablename__ = "wave_questionnaire"
    wave_id: Mapped[str] = mapped_column(ForeignKey(Wave.id), primary_key=True)
    digest: Mapped[str] = mapped_column(ForeignKey(QuestionnaireVersion.digest), primary_key=True)
    since: Mapped[dt.datetime] = mapped_column(UTCDateTime)


class InboxRecord(Base):
    """A record as it arrived. ``source`` is the collection mode given by the credential.

    Its number is its response's: ``responses/unlinking.py`` takes tablet, order and time away at its term.
    """

    __tablename__ = "inbox_record"
    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content_hash: Mapped[str] = mapped_column(Digest)
    envelope: Mapped[bytes | None] = mapped_column(LargeBinary)
    source: Mapped[str] = mapped_column(Code)
    device_id: Mapped[str | None] = mapped_column(Identifier)
    seq: Mapped[int | None] = mapped_column(sa.BigInteger)
    prev: Mapped[str | None] = mapped_column(Digest)
    site: Mapped[str | None] = mapped_column(Code)
    wave_id: Mapped[str | None] = mapped_column(Code)
    flags: Mapped[list[Any]] = mapped_column(JSON, default=list)
    received_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    judged_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        Index("ix_inbox_record_device_id_seq", "device_id", "seq"),
        Index("ix_inbox_record_waiting", "received_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )


class InboxConflict(Base):
    """Other bytes under an id and revision already taken: kept apart, counted only by decision."""

    __tablename__ = "inbox_conflict"
    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content_hash: Mapped[str] = mapped_column(Digest, primary_key=True)
    envelope: Mapped[bytes | None] = mapped_column(LargeBinary)
    device_id: Mapped[str | None] = mapped_column(Identifier)
    received_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)


class Response(Base):
    """One person's answers. No device, no sequence, no time of day: its record has them, until its term.

    A later revision of the same record is a row of its own; the earlier one is then set aside as superseded.
    """

    __tablename__ = "response"
    record_id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wave_id: Mapped[str | None] = mapped_column(Code)
    questionnaire_digest: Mapped[str] = mapped_column(Digest)
    site: Mapped[str] = mapped_column(Code)
    mode: Mapped[str] = mapped_column(Code)
    language: Mapped[str] = mapped_column(Code)
    answered_on: Mapped[dt.date]
    complete: Mapped[bool]
    practice: Mapped[bool] = mapped_column(default=False)
    assisted: Mapped[bool | None]
    """Whether an agent helped, or read aloud: the tablets alone ask, and nobody may have said so."""
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Valid answers to items that were asked: what is counted."""
    other_answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Answers off the path, to unknown items, or invalid: kept, never counted."""
    flags: Mapped[list[Any]] = mapped_column(JSON, default=list)
    __table_args__ = (
        Index("ix_response_wave_id_answered_on", "wave_id", "answered_on"),
        Index("ix_response_noteworthy", "wave_id", sqlite_where=_NOTEWORTHY, postgresql_where=_NOTEWORTHY),
    )


class ResponseSetAside(Base):
    """A decision about a response, newest wins: ``set_aside`` or ``reinstated``, with its reason."""

    __tablename__ = "response_set_aside"
    id: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(Identifier)
    revision: Mapped[int]
    action: Mapped[str] = mapped_column(Code)
    reason: Mapped[str] = mapped_column(Code)
    note: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.ForeignKeyConstraint(["record_id", "revision"], ["response.record_id", "response.revision"]),
        Index("ix_response_set_aside_record_id_revision", "record_id", "revision"),
    )


class TallyCell(Base):
    """The counters of one wave, questionnaire, site, mode, language and day."""

    __tablename__ = "tally_cell"
    wave_id: Mapped[str] = mapped_column(Code, primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    site: Mapped[str] = mapped_column(Code, primary_key=True)
    mode: Mapped[str] = mapped_column(Code, primary_key=True)
    language: Mapped[str] = mapped_column(Code, primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    layout: Mapped[str] = mapped_column(Digest)
    counters: Mapped[bytes] = mapped_column(LargeBinary)


class PastResult(Base):
    """A published figure of a past year, imported as counts."""

    __tablename__ = "past_result"
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey(Survey.id))
    wave_title: Mapped[str] = mapped_column(Text)
    year: Mapped[int]
    commitment: Mapped[str] = mapped_column(Code)
    item: Mapped[str | None] = mapped_column(Code)
    favourable: Mapped[int]
    base: Mapped[int]
    population: Mapped[int | None]
    source: Mapped[str] = mapped_column(Text)


class SignInTry(Base):
    """A try to sign in to the staff pages, under keyed hashes of account and origin; gone within a day."""

    __tablename__ = "sign_in_try"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    account: Mapped[str] = mapped_column(Digest)
    place: Mapped[str] = mapped_column(Digest)
    succeeded: Mapped[bool]
    __table_args__ = (
        Index("ix_sign_in_try_account_place", "account", "place"),
        Index("ix_sign_in_try_place", "place"),
    )


class AuditEntry(Base):
    """Who did what, when."""

    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Code)
    subject: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


roles_of_users = sa.Table(
    "user_role",
    Base.metadata,
    sa.Column("user_id", ForeignKey("user_account.id"), primary_key=True),
    sa.Column("role_id", ForeignKey("role.id"), primary_key=True),
)


class Role(Base, RoleMixin):
    """What a member of staff may do; the codes are in ``survey_app/access.py``."""

    __tablename__ = "role"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Code, unique=True)
    description: Mapped[str | None] = mapped_column(Text)


class User(Base, UserMixin):
    """A member of staff. No address of theirs is stored."""

    __tablename__ = "user_account"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    person_name: Mapped[str] = mapped_column(Text, default="")
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    roles: Mapped[list[Role]] = relationship(secondary=roles_of_users)  # type: ignore[assignment]
