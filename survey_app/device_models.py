"""The tables of the tablets: who they are, how they are, which of their numbers arrived.

As :mod:`survey_app.models`, which has the records that they sent.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from survey_app.database import Base, UTCDateTime
from survey_app.models import Code, Digest, Identifier, Wave

_OPTIONAL_JSON = JSON(none_as_null=True)


class Device(Base):
    """A tablet. Its secret is derived from the master key, never stored."""

    __tablename__ = "device"
    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    site: Mapped[str] = mapped_column(Code)
    state: Mapped[str] = mapped_column(Code, default="enrolled")
    slugs: Mapped[list[Any]] = mapped_column(JSON, default=list)
    languages: Mapped[list[Any]] = mapped_column(JSON, default=list)
    enrolled_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    last_contact_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    waiting: Mapped[int | None]
    high_seq: Mapped[int | None]
    app_digest: Mapped[str | None] = mapped_column(Code)
    beat: Mapped[int | None] = mapped_column(sa.BigInteger)
    quarantined: Mapped[int | None]
    drafts: Mapped[int | None]
    retained: Mapped[int | None]
    questionnaires: Mapped[list[Any] | None] = mapped_column(_OPTIONAL_JSON)
    clock_offset_ms: Mapped[int | None] = mapped_column(sa.BigInteger)
    persisted: Mapped[bool | None]
    battery_percent: Mapped[int | None]
    charging: Mapped[bool | None]
    last_receipt_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    readiness: Mapped[str | None] = mapped_column(Code)
    readiness_reason: Mapped[str | None] = mapped_column(Code)
    pin_failures: Mapped[int | None]
    pin: Mapped[dict[str, Any] | None] = mapped_column(_OPTIONAL_JSON)
    """Salt, hash and iterations, as the tablet gets them: see ``survey_app/enrolment.py``."""
    held: Mapped[list[Any] | None] = mapped_column(_OPTIONAL_JSON)
    """First and last of each run of its numbers that it says it holds; None: an older app, which says not."""
    former: Mapped[int | None]  # how many records of its earlier enrolments it holds
    replaced_by: Mapped[str | None] = mapped_column(Identifier)  # see `unknown_tablets.py`
    emptied_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class DeviceRefusals(Base):
    """How many people declined on a tablet on one day: per site, never per agent."""

    __tablename__ = "device_refusals"
    device_id: Mapped[str] = mapped_column(ForeignKey(Device.id), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    count: Mapped[int]


class GapExplanation(Base):
    """Why these numbers of a tablet never arrived, in the words of somebody who answers for them."""

    __tablename__ = "gap_explanation"
    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey(Device.id), index=True)
    first_seq: Mapped[int] = mapped_column(sa.BigInteger)
    last_seq: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    explained_by: Mapped[str] = mapped_column(Text)
    explained_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)


class TabletExplanation(Base):
    """Why a tablet kept silent after a wave, or what is known of two under one identity."""

    __tablename__ = "tablet_explanation"
    wave_id: Mapped[str] = mapped_column(ForeignKey(Wave.id), primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey(Device.id), primary_key=True)
    kind: Mapped[str] = mapped_column(Code, primary_key=True)
    """``silent`` or ``forked``: see ``responses/tablet_accounts.py``."""
    reason: Mapped[str] = mapped_column(Text)
    explained_by: Mapped[str] = mapped_column(Text)
    explained_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)


class ReceivedNumber(Base):
    """A number of a tablet that arrived, once no record names that tablet any more."""

    __tablename__ = "received_number"
    device_id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    seq: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    wave_id: Mapped[str | None] = mapped_column(Code)


class EnrolmentCode(Base):
    """A one-time code that turns a tablet into a device of a site. Only its hash is kept."""

    __tablename__ = "enrolment_code"
    code_hash: Mapped[str] = mapped_column(Digest, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    site: Mapped[str] = mapped_column(Code)
    slugs: Mapped[list[Any]] = mapped_column(JSON, default=list)
    languages: Mapped[list[Any]] = mapped_column(JSON, default=list)
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    device_id: Mapped[str | None] = mapped_column(ForeignKey(Device.id))
    created_by: Mapped[str] = mapped_column(Text)
    pin: Mapped[dict[str, Any] | None] = mapped_column(_OPTIONAL_JSON)
