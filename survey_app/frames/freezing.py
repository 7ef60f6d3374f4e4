"""Who is asked in a wave: a frame frozen into units and strata, none of them below the threshold. Floor 4."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from survey_app.frames.files import FrameError
from survey_app.frames.headings import normalised
from survey_app.frames.words import COMMUNE, KINDS, OFFICES, rank
from survey_app.invitation_models import SampledUnit
from survey_app.responses.link_facts import FEWEST
from survey_app.strata import NOWHERE, SIZES, merged_strata

Unit = Literal["authority", "person"]
Key = tuple[str, str, str]
"""Arrondissement, office (or kind of authority), size of the commune."""

UNITS: Final[Mapping[str, str]] = {
    "authority": "une réponse par collectivité",
    "person": "une réponse par personne",
}
SMALLEST_STRATUM: Final = FEWEST
_HASHED: Final = (
    *("authority_kind", "authority_code", "authority_name", "arrondissement", "inhabitants"),
    *("office", "civility", "first_name", "last_name", "email", "postal_address"),
)


@dataclass(frozen=True)
class Stratum:
    """A group of the people who are asked, and its N."""

    code: str
    """« niort.mayor.under_500 »: what stands before a point is the wider group."""
    title: str
    arrondissement: str
    """Empty: the whole department."""
    population: int
    """With those that were merged into it; of a merged one, its own."""
    merged_into: str | None = None


@dataclass(frozen=True)
class FrozenUnit:
    """One link: the line of the frame that it is for, and its stratum."""

    unit_id: str
    stratum: str


@dataclass(frozen=True)
class FrozenFrame:
    """Everybody who is asked in a wave."""

    frame_id: int
    unit: Unit
    kinds: tuple[str, ...]
    units: tuple[FrozenUnit, ...]
    strata: tuple[Stratum, ...]
    source_hash: str
    """SHA-256 over the contents of the lines, without their random numbers: two freezings can be compared."""

    @property
    def population(self) -> int:
        """N."""
        return len(self.units)

    def standing(self) -> tuple[Stratum, ...]:
        """The strata that were not merged into another: their N add up to the population."""
        return tuple(stratum for stratum in self.strata if stratum.merged_into is None)


def freeze(
    frame_id: int,
    lines: Iterable[SampledUnit],
    unit: Unit,
    kinds: Sequence[str],
    *,
    offices: Sequence[str] | None = None,
    smallest: int = SMALLEST_STRATUM,
) -> FrozenFrame:
    """One unit for each authority, or for each person, of these kinds, and the strata they fall in.

    ``offices``: only the people who hold one of these; None for all. Raises `FrameError` where nobody is
    left.
    """
    chosen = [
        line for line in lines if line.authority_kind in kinds and (offices is None or line.office in offices)
    ]
    units = _one_each(chosen, unit)
    if not units:
        raise FrameError("Aucun destinataire\u00a0: la liste n’a personne de cette sorte.")
    keys = {line.id: _key(line, unit) for line in units}
    sizes = Counter(keys.values())
    targets = merged(sizes, smallest)
    frozen = tuple(FrozenUnit(line.id, code_of(targets[keys[line.id]])) for line in units)
    return FrozenFrame(frame_id, unit, tuple(kinds), frozen, _strata(sizes, targets), _hash(units, keys))


def _one_each(lines: Sequence[SampledUnit], unit: Unit) -> list[SampledUnit]:
    """Of the lines of one authority, or of one person, that of the highest office; in the order of codes."""
    groups: dict[tuple[str, ...], list[SampledUnit]] = defaultdict(list)
    for line in lines:
        name = (line.authority_kind, line.authority_code) if unit == "authority" else (line.person,)
        groups[name].append(line)
    first = [min(group, key=_before) for group in groups.values()]
    return sorted(first, key=lambda line: (line.authority_kind, line.authority_code, line.last_name, line.id))


def _before(line: SampledUnit) -> tuple[int, bool, str, int, str]:
    return rank(line.office), line.email is None, line.authority_code, line.line, line.id


def _key(line: SampledUnit, unit: Unit) -> Key:
    return (
        line.arrondissement or "",
        line.authority_kind if unit == "authority" or not line.office else line.office,
        _size(line),
    )


def _size(line: SampledUnit) -> str:
    if line.authority_kind != COMMUNE or line.inhabitants is None:
        return ""
    return next(code for code, end, _ in SIZES if line.inhabitants < end)


def merged(sizes: Mapping[Key, int], smallest: int = SMALLEST_STRATUM) -> dict[Key, Key]:
    """For each stratum where its people go: itself, or another one while it is below the threshold."""
    by_code = {code_of(key): key for key in sizes}
    counts = Counter[str]()
    for key, people in sizes.items():
        counts[code_of(key)] += people
    into = merged_strata(counts, smallest)
    return {key: by_code[into[code_of(key)]] if code_of(key) in into else key for key in sizes}


def code_of(key: Key) -> str:
    """« niort.mayor.under_500 »."""
    where, what, size = key
    place = normalised(where).replace(" ", "-") or NOWHERE
    return ".".join(filter(None, (place, what, size)))


def title_of(key: Key) -> str:
    """« Niort, maires, moins de 500 habitants »."""
    where, what, size = key
    name = KINDS[what] if what in KINDS else OFFICES.get(what, OFFICES["other"])[2]
    words = next((words for code, _, words in SIZES if code == size), "")
    return ", ".join(filter(None, (where or "Département", name.lower(), words)))


def _strata(sizes: Mapping[Key, int], targets: Mapping[Key, Key]) -> tuple[Stratum, ...]:
    total = Counter[Key]()
    for key, target in targets.items():
        total[target] += sizes[key]
    found = []
    for key in sorted(sizes):
        stands = targets[key] == key
        with_it = [title_of(other) for other in sorted(sizes) if targets[other] == key and other != key]
        title = f"{title_of(key)} (avec\u00a0: {' ; '.join(with_it)})" if with_it else title_of(key)
        found.append(
            Stratum(
                code_of(key),
                title.replace(" ;", "\u202f;"),
                key[0],
                total[key] if stands else sizes[key],
                None if stands else code_of(targets[key]),
            )
        )
    return tuple(found)


def _hash(units: Sequence[SampledUnit], keys: Mapping[str, Key]) -> str:
    lines = sorted(
        json.dumps([*(getattr(line, name) for name in _HASHED), code_of(keys[line.id])], ensure_ascii=False)
        for line in units
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
