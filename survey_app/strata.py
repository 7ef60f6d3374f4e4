"""The strata of a wave by personal link: where its answers come from, and how many people each has. Floor 4.

A wave without personal links has none: its sites are places of the organisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.display import listed
from survey_app.database import db
from survey_app.invitation_models import WaveFrame
from survey_app.models import Wave


@dataclass(frozen=True)
class Stratum:
    """A part of the frozen population, after the merging of those that are too small."""

    code: str
    title: str
    population: int
    parts: tuple[str, ...]
    """The codes of the strata that were merged into it, its own among them."""


def frame_of(wave_id: str) -> WaveFrame | None:
    """The frozen snapshot that a wave by personal link works on; None for any other wave."""
    return db.session.get(WaveFrame, wave_id)


def strata_of(frame: WaveFrame) -> tuple[Stratum, ...]:
    """The strata that answers name, in the order in which they were frozen."""
    merged: dict[str, list[Mapping[str, object]]] = {}
    kept = {str(one["code"]): one.get("merged_into") for one in frame.strata}
    for one in frame.strata:
        code = str(one["code"])
        while kept.get(code):
            code = str(kept[code])
        merged.setdefault(code, []).append(one)
    return tuple(
        Stratum(
            code,
            listed([str(one["title"]) for one in ones]),
            sum(int(str(one["population"])) for one in ones),
            tuple(str(one["code"]) for one in ones),
        )
        for code, ones in sorted(merged.items(), key=lambda entry: [*kept].index(entry[0]))
    )


def sites_of(wave: Wave) -> tuple[str, ...]:
    """Where the answers of a wave can come from: its strata, and its sites for answers without a link."""
    frame = frame_of(wave.id)
    if frame is None:
        return tuple(wave.sites)
    others = tuple(wave.sites) if {*wave.modes} - {"personal_link"} else ()
    return (*(stratum.code for stratum in strata_of(frame)), *others)


def names_of(wave_id: str | None) -> dict[str, str]:
    """Code → title of the strata of a wave; none where its answers come without links."""
    frame = frame_of(wave_id) if wave_id else None
    return {stratum.code: stratum.title for stratum in strata_of(frame)} if frame else {}


def composition(wave_id: str) -> dict[str, frozenset[str]]:
    """Stratum → the strata it was merged from: figures of two waves compare where both are the same."""
    frame = frame_of(wave_id)
    return {stratum.code: frozenset(stratum.parts) for stratum in strata_of(frame)} if frame else {}
