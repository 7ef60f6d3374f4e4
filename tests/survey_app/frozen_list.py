"""A list of officials as it was imported, and as an edition asks it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from survey_app.invitation_models import SampledUnit, SamplingFrame, WaveFrame, random_number

SOURCE = "Répertoire national des élus (data.gouv.fr)"
IMPORTED = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)


def a_unit(number: int, **changes: Any) -> SampledUnit:
    """The mayor of a commune."""
    values: dict[str, Any] = {
        "id": random_number(),
        "line": number,
        "authority_kind": "commune",
        "authority_code": f"79{number:03}",
        "authority_name": f"Commune {number}",
        "office": "mayor",
        "civility": "Madame",
        "first_name": "Anne",
        "last_name": f"Martin {number}",
        "email": f"mairie{number}@exemple.fr",
        "postal_address": f"Mairie\n1 place du Village {number}\n79000 COMMUNE {number}",
    }
    return SampledUnit(**{**values, **changes})


def strata_of(
    populations: Mapping[str, int], merged: Mapping[str, str] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """The strata as they are frozen: how many people in each, and into which other one it was merged."""
    return [
        {
            "code": code,
            "title": code.replace(".", ", ").capitalize(),
            "population": people,
            "merged_into": merged.get(code),
        }
        for code, people in populations.items()
    ]


def freeze(transaction: Session, wave_id: str, units: Sequence[SampledUnit], **changes: Any) -> None:
    """Store these people as a list of mayors, frozen for an edition."""
    frame = SamplingFrame(
        title="Maires",
        source=SOURCE,
        source_date=dt.date(2026, 11, 2),
        file_name="maires.csv",
        file_hash="0" * 64,
        imported_at=IMPORTED,
        imported_by="test",
        units=list(units),
    )
    transaction.add(frame)
    transaction.flush()
    values: dict[str, Any] = {
        "unit": "authority",
        "kinds": ["commune"],
        "population": len(units),
        "source_hash": "1" * 64,
        "frozen_at": IMPORTED,
        "frozen_by": "test",
        "results_until": dt.date(2027, 6, 30),
    }
    transaction.add(WaveFrame(wave_id=wave_id, frame_id=frame.id, **{**values, **changes}))
    transaction.flush()
