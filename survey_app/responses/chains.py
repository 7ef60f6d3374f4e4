"""The numbers that tablets give their records, one after the other: which never arrived, which came twice.

A tablet numbers its records from one on, anew with each enrolment, and names in each the link of the record
before: a hash over its place, or, from older apps, over its bytes. So the server can say which answers are
missing, and sees when two tablets go on under one identity. Both are kept: nothing is judged here. Sums are
made of ranges: a tablet that names an absurd number costs nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from survey_app.device_models import Device, GapExplanation, ReceivedNumber
from survey_app.models import InboxConflict, InboxRecord, Wave
from survey_app.responses.held_numbers import Held, pieces, still_held
from survey_app.sql_functions import sha256_hex

LISTED_AT_MOST = 200
NAMED_AT_MOST = 3
_NUMBERED = InboxRecord.seq.is_not(None)
# What arrived: records that still name their tablet, and the numbers of those that no longer do.
_ARRIVED = sa.union_all(
    sa.select(InboxRecord.device_id, InboxRecord.seq, InboxRecord.wave_id, InboxRecord.id).where(
        _NUMBERED, InboxRecord.device_id.is_not(None)
    ),
    sa.select(ReceivedNumber.device_id, ReceivedNumber.seq, ReceivedNumber.wave_id, sa.null()),
).subquery("arrived")


@dataclass(frozen=True)
class Gap:
    """Numbers of a tablet that never arrived, from first to last."""

    first: int
    last: int
    explanation: GapExplanation | None = None
    waves: frozenset[str] = frozenset()
    """The waves of the records just before and just after."""
    held: bool = False
    """The tablet says that it still has them: they are late, not lost."""

    @property
    def size(self) -> int:
        """How many numbers."""
        return self.last - self.first + 1

    def concerns(self, wave_id: str) -> bool:
        """Whether an answer of this wave may be missing here: unexplained, nobody can tell."""
        return self.explanation is None or not self.waves or wave_id in self.waves

    def __str__(self) -> str:
        return f"{self.first}" if self.size == 1 else f"{self.first} à {self.last}"


@dataclass(frozen=True)
class Fork:
    """Two tablets under one identity: one number twice, or a record that follows another one than ours."""

    seq: int
    records: tuple[str, ...]

    @property
    def twice(self) -> bool:
        """Whether the number came under several record ids; else it follows an unknown record."""
        return len(self.records) > 1


@dataclass(frozen=True)
class Chain:
    """The numbers of one tablet, as far as the server knows."""

    received: int = 0
    """Questionnaires; two of one number are two."""
    gaps: tuple[Gap, ...] = ()
    forks: tuple[Fork, ...] = ()
    waiting: int = 0
    """How many records the tablet still holds, as it said last, less what came since."""

    @property
    def missing(self) -> int:
        """How many numbers never arrived, explained or not."""
        return sum(gap.size for gap in self.gaps)

    @property
    def unexplained(self) -> tuple[Gap, ...]:
        """The gaps that nobody answered for."""
        return tuple(gap for gap in self.gaps if gap.explanation is None)

    @property
    def lost(self) -> tuple[Gap, ...]:
        """Those of them that the tablet does not have any more."""
        return tuple(gap for gap in self.unexplained if not gap.held)

    @property
    def taken(self) -> int:
        """How many interviews the tablet saved."""
        return self.received + self.missing


def chains(session: Session, devices: Sequence[Device], *, wave_id: str | None = None) -> dict[str, Chain]:
    """The chain of each of these devices; only the part that concerns one wave, if one is named."""
    ids = [device.id for device in devices]
    held = still_held(session, devices)
    gaps, forks = _gaps_of(session, devices, held), _forks(session, ids, wave_id)
    received = _received(session, ids, wave_id)
    return {
        one: Chain(
            received.get(one, 0),
            tuple(gap for gap in gaps[one] if wave_id is None or gap.concerns(wave_id)),
            tuple(forks.get(one, ())),
            held[one].number,
        )
        for one in ids
    }


def _received(session: Session, ids: Sequence[str], wave_id: str | None) -> dict[str, int]:
    """Records, not numbers: one that came from two tablets is two questionnaires."""
    number = _ARRIVED.c
    unlinked = sa.func.count(number.seq).filter(number.id.is_(None))
    query = sa.select(number.device_id, sa.func.count(sa.distinct(number.id)) + unlinked)
    query = query.where(number.device_id.in_(ids))
    if wave_id is not None:
        query = query.where(number.wave_id == wave_id)
    counted: Sequence[Any] = session.execute(query.group_by(number.device_id)).all()
    return {device: number for device, number in counted}


def missing_numbers(session: Session, device: Device, up_to: int) -> list[int]:
    """The first numbers up to this one that the inbox lacks: what a tablet is asked to send again."""
    gaps = _ranges(session, [device], {device.id: up_to})[device.id]
    numbers = chain.from_iterable(range(first, min(last, up_to) + 1) for first, last in gaps)
    return list(islice(numbers, LISTED_AT_MOST))


def _gaps_of(session: Session, devices: Sequence[Device], held: Mapping[str, Held]) -> dict[str, list[Gap]]:
    """The gaps of each device, cut where an explanation or what it still holds begins or ends."""
    query = sa.select(GapExplanation).where(GapExplanation.device_id.in_([one.id for one in devices]))
    explained: dict[str, list[GapExplanation]] = defaultdict(list)
    for one in session.scalars(query.order_by(GapExplanation.first_seq, GapExplanation.id)):
        explained[one.device_id].append(one)
    ranges = _ranges(session, devices, {one.id: one.high_seq or 0 for one in devices})
    return {
        device: [
            piece
            for first, last in found
            for low, high, is_held in pieces(first, last, held[device].runs)
            for piece in _cut(
                Gap(low, high, None, _around(session, device, first, last), is_held), explained[device]
            )
        ]
        for device, found in ranges.items()
    }


def _cut(gap: Gap, explanations: Iterable[GapExplanation]) -> Iterator[Gap]:
    first = gap.first
    for one in explanations:
        low, high = max(one.first_seq, first), min(one.last_seq, gap.last)
        if low > high:
            continue
        if low > first:
            yield replace(gap, first=first, last=low - 1)
        yield replace(gap, first=low, last=high, explanation=one)
        first = high + 1
    if first <= gap.last:
        yield replace(gap, first=first)


def _around(session: Session, device_id: str, first: int, last: int) -> frozenset[str]:
    number = _ARRIVED.c
    query = sa.select(number.wave_id).where(
        number.device_id == device_id, number.seq.in_((first - 1, last + 1))
    )
    return frozenset(wave for wave in session.scalars(query) if wave is not None)


def _ranges(
    session: Session, devices: Sequence[Device], highest: Mapping[str, int]
) -> dict[str, list[tuple[int, int]]]:
    """First and last number of each gap, device by device, up to the highest number that is known."""
    holes: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for device_id, seq, following in session.execute(_holes([one.id for one in devices])):
        holes[device_id].append((seq + 1, following - 1))
    ends = _ends(session, [one.id for one in devices])
    found = {}
    for device in devices:
        first, last = ends.get(device.id, (1, 0))
        outer = [(1, first - 1), *holes[device.id], (last + 1, highest[device.id])]
        found[device.id] = [(low, high) for low, high in outer if low <= high]
    return found


def _of(ids: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.and_(InboxRecord.device_id.in_(ids), _NUMBERED)


def _holes(ids: Sequence[str]) -> sa.Select[Any]:
    """Each number that is not followed by the next one, and the one that follows."""
    number = _ARRIVED.c
    found = sa.select(number.device_id, number.seq).where(number.device_id.in_(ids))
    numbers = found.distinct().subquery()
    following = sa.func.lead(numbers.c.seq).over(partition_by=numbers.c.device_id, order_by=numbers.c.seq)
    pairs = sa.select(numbers.c.device_id, numbers.c.seq, following.label("following")).subquery()
    return (
        sa.select(pairs).where(pairs.c.following > pairs.c.seq + 1).order_by(pairs.c.device_id, pairs.c.seq)
    )


def _ends(session: Session, ids: Sequence[str]) -> dict[Any, tuple[int, int]]:
    number = _ARRIVED.c
    query = sa.select(number.device_id, sa.func.min(number.seq), sa.func.max(number.seq))
    query = query.where(number.device_id.in_(ids)).group_by(number.device_id)
    found: Sequence[Any] = session.execute(query).all()
    return {device: (low, high) for device, low, high in found}


def _forks(session: Session, ids: Sequence[str], wave_id: str | None) -> dict[str, list[Fork]]:
    found = _forks_of_all_waves(session, ids)
    if wave_id is None:
        return found
    named = {record for forks in found.values() for fork in forks for record in fork.records}
    concerned = sa.select(InboxRecord.id).where(InboxRecord.id.in_(named), InboxRecord.wave_id == wave_id)
    mine = {*session.scalars(concerned)}
    return {
        one: [fork for fork in forks if not mine.isdisjoint(fork.records)] for one, forks in found.items()
    }


def _forks_of_all_waves(session: Session, ids: Sequence[str]) -> dict[str, list[Fork]]:
    found: dict[str, list[Fork]] = defaultdict(list)
    for query in (_twice(ids), _broken(ids)):
        lines = session.execute(query.limit(LISTED_AT_MOST))
        for (device, seq), records in groupby(lines, key=lambda line: line[:2]):
            if all(fork.seq != seq for fork in found[device]):
                found[device].append(Fork(seq, tuple(sorted({line[2] for line in records}))))
    return found


def _twice(ids: Sequence[str]) -> sa.Select[str | None, int | None, str]:
    several = (
        sa.select(InboxRecord.device_id, InboxRecord.seq)
        .where(_of(ids))
        .group_by(InboxRecord.device_id, InboxRecord.seq)
    )
    several = several.having(sa.func.count(sa.distinct(InboxRecord.id)) > 1)
    query = sa.select(InboxRecord.device_id, InboxRecord.seq, InboxRecord.id)
    query = query.where(sa.tuple_(InboxRecord.device_id, InboxRecord.seq).in_(several))
    return query.order_by(InboxRecord.device_id, InboxRecord.seq, InboxRecord.id)


def _broken(ids: Sequence[str]) -> sa.Select[str | None, int | None, str]:
    """Records whose `prev` is neither the link nor a hash of what came under the number before."""
    before, variant = aliased(InboxRecord), aliased(InboxConflict)
    previous = sa.and_(before.device_id == InboxRecord.device_id, before.seq == InboxRecord.seq - 1)
    came = sa.select(before.id).where(previous).exists()
    names = sa.or_(before.content_hash == InboxRecord.prev, _link(before) == InboxRecord.prev)
    named = sa.select(before.id).where(previous, names).exists()
    other = sa.select(variant.id).join(before, before.id == variant.id)
    other_named = other.where(previous, variant.content_hash == InboxRecord.prev).exists()
    query = sa.select(InboxRecord.device_id, InboxRecord.seq, InboxRecord.id).where(
        _of(ids), came, ~named, ~other_named
    )
    return query.order_by(InboxRecord.device_id, InboxRecord.seq, InboxRecord.id)


def _link(record: type[InboxRecord]) -> sa.ColumnElement[str]:
    """`Envelope.link` of a stored record."""
    text = sa.literal("link ") + sa.cast(record.seq, sa.String) + " " + record.id + " "
    return sha256_hex(text + sa.func.coalesce(record.prev, "-"))


def devices_of(session: Session, wave: Wave) -> Sequence[Device]:
    """The tablets of the sites of a wave, and those that sent something for it."""
    if "tablet" not in wave.modes:
        return ()
    sent = sa.select(_ARRIVED.c.device_id).where(_ARRIVED.c.wave_id == wave.id)
    query = sa.select(Device).where(sa.or_(Device.site.in_(wave.sites), Device.id.in_(sent)))
    return session.scalars(query.order_by(Device.name, Device.enrolled_at)).all()


def numbers(gaps: Sequence[Gap]) -> str:
    """The first of them, to be read."""
    return ", ".join(map(str, gaps[:NAMED_AT_MOST])) + ("…" if len(gaps) > NAMED_AT_MOST else "")
