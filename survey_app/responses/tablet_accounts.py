"""Whether all that the tablets of a wave took has arrived, or somebody answers for what may not have.

The numbers alone do not say it: the highest one is what a tablet said last. One that nobody heard since the
wave ended may hold more, and behind a fork one number may hide the loss of another tablet's.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from survey_app.clock import midnight_after
from survey_app.device_models import Device, TabletExplanation
from survey_app.models import Wave
from survey_app.responses.chains import Chain, chains, devices_of, numbers

SILENT: Final = "silent"
FORKED: Final = "forked"


@dataclass(frozen=True)
class TabletAccount:
    """One tablet in one wave: its numbers, and what people say of what these do not tell."""

    device: Device
    chain: Chain
    silent: bool = False
    """Nobody heard from it since it could take no more interviews of this wave."""
    explained: Mapping[str, TabletExplanation] = field(default_factory=dict)
    """By kind: :data:`SILENT`, :data:`FORKED`."""

    @property
    def doubts(self) -> tuple[str, ...]:
        """What needs an explanation of the whole tablet, explained or not."""
        found = {SILENT: self.silent, FORKED: bool(self.chain.forks)}
        return tuple(kind for kind, is_so in found.items() if is_so)

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The doubts that nobody answered for."""
        return tuple(kind for kind in self.doubts if kind not in self.explained)

    @property
    def complete(self) -> bool:
        """Whether every number arrived, or somebody answers for it, and nothing else is in doubt."""
        return not (self.unexplained or self.chain.unexplained)


def accounts_of(session: Session, wave: Wave, *, now: dt.datetime | None = None) -> list[TabletAccount]:
    """Every tablet of a wave."""
    devices = devices_of(session, wave)
    known = chains(session, devices, wave_id=wave.id)
    explained = _explanations(session, wave)
    end = ended_at(wave, now or dt.datetime.now(dt.UTC))
    return [
        TabletAccount(one, known[one.id], _is_silent(one, wave, end), explained[one.id]) for one in devices
    ]


def why_incomplete(session: Session, wave: Wave, *, now: dt.datetime | None = None) -> str:
    """Which tablets of a wave nobody can answer for yet (French); empty = all of them."""
    open_accounts = [one for one in accounts_of(session, wave, now=now) if not one.complete]
    sentences = [*_missing(open_accounts), *_doubtful(open_accounts)]
    if not sentences:
        return ""
    return f"{' '.join(sentences)} Sinon, expliquez-le au rapprochement de l’édition."


def ended_at(wave: Wave, now: dt.datetime) -> dt.datetime | None:
    """Since when the tablets begin no more interviews of this wave; None = they still do."""
    last_moment = midnight_after(wave.closes_on)
    end = last_moment if wave.closed_at is None else min(wave.closed_at, last_moment)
    return end if end <= now else None


def _is_silent(device: Device, wave: Wave, end: dt.datetime | None) -> bool:
    """A revoked tablet that was told so begins no interview: what it said then is its last word."""
    if end is None or device.enrolled_at >= end or device.replaced_by is not None:
        return False
    revoked = device.revoked_at
    if revoked is not None and wave.opened_at is not None and revoked < wave.opened_at:
        return False
    last_word = end if revoked is None else min(end, revoked)
    return device.last_contact_at is None or device.last_contact_at < last_word


def _explanations(session: Session, wave: Wave) -> Mapping[str, dict[str, TabletExplanation]]:
    found: dict[str, dict[str, TabletExplanation]] = defaultdict(dict)
    for one in session.scalars(sa.select(TabletExplanation).where(TabletExplanation.wave_id == wave.id)):
        found[one.device_id][one.kind] = one
    return found


def _missing(accounts: Sequence[TabletAccount]) -> Iterator[str]:
    for is_held, sentence in _GAPS.items():
        found = [
            f"«\u202f{one.device.name}\u202f» ({numbers(gaps)})"
            for one in accounts
            if (gaps := [gap for gap in one.chain.unexplained if gap.held == is_held])
        ]
        if found:
            yield sentence.format(named=", ".join(found))


_GAPS: Final = {
    False: "Des numéros ne sont jamais arrivés\u00a0: {named}. Attendez que ces tablettes envoient.",
    True: "Des questionnaires sont encore sur ces tablettes\u00a0: {named}. "
    "Reliez-les au réseau et attendez qu’elles envoient.",
}
_DOUBTS: Final = {
    SILENT: "Sans nouvelles depuis la fin de l’édition\u00a0: {named}. "
    "Allumez ces tablettes et reliez-les au réseau.",
    FORKED: "Deux tablettes sous une même inscription\u00a0: {named}. Vérifiez que chacune a tout envoyé.",
}


def _doubtful(accounts: Sequence[TabletAccount]) -> Iterator[str]:
    for kind, sentence in _DOUBTS.items():
        names = [f"«\u202f{one.device.name}\u202f»" for one in accounts if kind in one.unexplained]
        if names:
            yield sentence.format(named=", ".join(names))
