"""How many people declined at the desks: per site and day. Which tablet or agent it was is said nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from analysis.periods import lies_in
from survey_app.device_models import Device, DeviceRefusals
from survey_app.models import Wave

Refusals = Mapping[tuple[str, dt.date], int]
"""(site, day) → number."""


def keep(session: Session, device_id: str, counts: Mapping[dt.date, int]) -> None:
    """What a tablet counted so far, day by day. Only the highest word for a day stays: calls come twice."""
    insert: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    for day, count in counts.items():
        statement = insert[session.get_bind().dialect.name](DeviceRefusals)
        statement = statement.values(device_id=device_id, day=day, count=count)
        higher = {"count": statement.excluded.count}
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["device_id", "day"], set_=higher, where=DeviceRefusals.count < count
            )
        )


def of_wave(session: Session, wave: Wave, *, site: str | None = None, period: str | None = None) -> Refusals:
    """The refusals on the days and at the sites of a wave, on tablets that ask its questionnaire."""
    query = sa.select(Device.site, DeviceRefusals.day, DeviceRefusals.count, Device.slugs).join(Device)
    query = query.where(DeviceRefusals.day.between(wave.opens_on, wave.closes_on))
    query = query.where(Device.site.in_(wave.sites)).order_by(Device.site, DeviceRefusals.day)
    found: dict[tuple[str, dt.date], int] = {}
    for place, day, count, slugs in session.execute(query):
        asked = wave.survey.questionnaire_slug in slugs and site in (None, place)
        if asked and (period is None or lies_in(day, period)):
            found[place, day] = found.get((place, day), 0) + count
    return found
