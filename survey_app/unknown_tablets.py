"""Tablets that this server lost with a restore: met again, and named by the referent. Floor 4.

What such a tablet sends, itself or by a rescue file, is stored with its receipt and waits to be judged. The
referent says which tablet of today it is, or of which site; or revokes it, and what it sent is kept apart.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy.exc import IntegrityError

from survey_app.audit import record
from survey_app.database import write_transaction
from survey_app.device_models import Device
from survey_app.responses.unidentified import UNIDENTIFIED

ENROLLED: Final = "enrolled"
NOBODY: Final = "–"
"""The actor of what a tablet does by itself."""


def meet(device_id: str, *, by: str = NOBODY) -> None:
    """Keep that this tablet exists, once; the log says since when."""
    try:
        with write_transaction() as transaction:
            if transaction.get(Device, device_id) is not None:
                return
            name, now = f"Tablette inconnue {device_id[:8]}", datetime.now(tz=UTC)
            transaction.add(Device(id=device_id, name=name, site="", state=UNIDENTIFIED, enrolled_at=now))
            record(transaction, "device-met", actor=by, subject=name)
    except IntegrityError:
        return  # another process met it at the same moment


def identify_as(device: Device, today: Device) -> None:
    """It is this tablet, which was enrolled again since."""
    device.name, device.site = f"{today.name} (inscription perdue)", today.site
    device.slugs, device.languages, device.replaced_by = today.slugs, today.languages, today.id
    device.state = ENROLLED


def identify_at(device: Device, site: str, site_name: str) -> None:
    """It is a tablet of this site, and goes on under its old enrolment."""
    device.name, device.site, device.state = f"{site_name} (retrouvée {device.id[:4]})", site, ENROLLED
