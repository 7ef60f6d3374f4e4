"""The numbers that a tablet held when it last spoke, less those that arrived since.

Only those of its present enrolment: what it holds of earlier ones, or cannot send, hides no number that is
lost. An older application tells no numbers, only how many records it holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from survey_app.device_models import Device
from survey_app.models import InboxRecord

Run = tuple[int, int]
"""First and last of numbers that follow one another."""


@dataclass(frozen=True)
class Held:
    """What is still on a tablet, as far as the server knows."""

    runs: tuple[Run, ...] = ()
    number: int = 0
    """How many records."""


def still_held(session: Session, devices: Sequence[Device]) -> Mapping[str, Held]:
    """Device → what it still holds."""
    arrived = _arrived_since_they_spoke(session, [one.id for one in devices])
    return {one.id: _of(one, arrived[one.id]) for one in devices}


def pieces(first: int, last: int, runs: Iterable[Run]) -> Iterator[tuple[int, int, bool]]:
    """These numbers, cut where a run begins or ends: first, last, whether the piece is in a run."""
    for low, high in runs:
        low, high = max(low, first), min(high, last)
        if low > high:
            continue
        if first < low:
            yield first, low - 1, False
        yield low, high, True
        first = high + 1
    if first <= last:
        yield first, last, False


def _of(device: Device, arrived: Sequence[int]) -> Held:
    if device.held is None:
        told = (device.waiting or 0) + (device.drafts or 0)
        return Held(number=max(0, told - len(arrived)))
    there = [(number, number) for number in arrived]
    runs = [
        (low, high)
        for first, last in device.held
        for low, high, came in pieces(first, last, there)
        if not came
    ]
    return Held(tuple(runs), sum(high - low + 1 for low, high in runs))


def _arrived_since_they_spoke(session: Session, ids: Sequence[str]) -> Mapping[str, list[int]]:
    query = (
        sa.select(Device.id, InboxRecord.seq)
        .join(InboxRecord, InboxRecord.device_id == Device.id)
        .where(Device.id.in_(ids), InboxRecord.seq.is_not(None))
        .where(InboxRecord.received_at >= Device.last_contact_at)
    )
    found: dict[str, list[int]] = defaultdict(list)
    lines: Sequence[Any] = session.execute(query.distinct().order_by(Device.id, InboxRecord.seq)).all()
    for device, seq in lines:
        found[device].append(seq)
    return found
