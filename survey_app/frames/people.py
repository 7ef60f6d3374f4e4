"""Which lines are twice the same, and which mandates are one person's. Floor 4."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from survey_app.frames.entries import Entry, Note
from survey_app.frames.headings import normalised
from survey_app.frames.words import COMMUNE


@dataclass(frozen=True)
class Sorted:
    """The lines that stay, and a sentence for each that does not."""

    entries: list[Entry]
    left_out: list[Note]


def without_twins(entries: Iterable[Entry]) -> Sorted:
    """The first of lines that say the same of one authority, and of two mayors of a commune the later one."""
    once = _first_of_each(entries)
    mayors: dict[str, list[Entry]] = defaultdict(list)
    for entry in once.entries:
        if entry.kind == COMMUNE and entry.office == "mayor":
            mayors[entry.code].append(entry)
    too_many = {code: several for code, several in mayors.items() if len(several) > 1}
    gone = {id(entry): kept for several in too_many.values() for entry, kept in _earlier(several)}
    told = [
        Note(entry.file, entry.line, _second_mayor(entry, gone[id(entry)]))
        for entry in once.entries
        if id(entry) in gone
    ]
    return Sorted([one for one in once.entries if id(one) not in gone], [*once.left_out, *told])


def _first_of_each(entries: Iterable[Entry]) -> Sorted:
    seen: dict[tuple[str, ...], Entry] = {}
    stay, left = [], []
    for entry in entries:
        named = (normalised(entry.last_name), normalised(entry.first_name))
        first = seen.setdefault((entry.kind, entry.code, entry.office, *named), entry)
        if first is entry:
            stay.append(entry)
            continue
        what = "cette personne" if entry.last_name else f"«\u202f{entry.name or entry.code}\u202f»"
        where = f"ligne {first.line}" + (f" de {first.file}" if first.file != entry.file else "")
        left.append(Note(entry.file, entry.line, f"{what} est déjà là\u00a0: {where}. Rien à faire."))
    return Sorted(stay, left)


def _earlier(mayors: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    kept = max(mayors, key=lambda entry: (entry.since or date.min, -entry.line))
    return [(entry, kept) for entry in mayors if entry is not kept]


def _second_mayor(entry: Entry, kept: Entry) -> str:
    reason = (
        "dont la fonction a commencé plus tard"
        if kept.since and kept.since != entry.since
        else "la première du fichier, faute de dates"
    )
    told = f"{entry.name} a deux maires. La ligne {kept.line} est gardée, {reason}."
    return f"{told} Retirez celle qui ne vaut plus."


def persons(entries: Sequence[Entry]) -> list[int]:
    """For each line the number of its person: one name in one commune is one person.

    Whoever sits where no commune is said is the only one of that name, or else somebody apart.
    """
    numbers: dict[int, int] = {}
    for same_name in _by_name(entries).values():
        communes = _by_commune(entries, same_name)
        wandering = communes.pop("", [])
        groups = list(communes.values())
        if len(groups) <= 1:
            groups = [[*(groups[0] if groups else []), *wandering]]
        else:
            groups += [[one] for one in wandering]
        for group in groups:
            numbers.update(dict.fromkeys(group, min(group)))
    return [numbers.get(at, at) for at in range(len(entries))]


def namesakes(entries: Sequence[Entry], numbers: Sequence[int]) -> list[list[Entry]]:
    """The lines of one name that were taken for several people: somebody should look."""
    return [
        [entries[at] for at in same_name]
        for same_name in _by_name(entries).values()
        if len({numbers[at] for at in same_name}) > 1
    ]


def _by_name(entries: Sequence[Entry]) -> Mapping[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, entry in enumerate(entries):
        if entry.last_name:
            found[normalised(entry.last_name), normalised(entry.first_name)].append(at)
    return found


def _by_commune(entries: Sequence[Entry], indices: Iterable[int]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for at in indices:
        found[entries[at].code if entries[at].kind == COMMUNE else entries[at].commune].append(at)
    return found
