"""What may stay beside a mixed answer: its stratum and its week, merged until eleven answers share them.

Who knows from copies of the database, or from reminders, in which week a person answered, is left with eleven
answers at least. Pure: no database.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Final

from survey_app.invitations.sealed_answers import Answer
from survey_app.responses.link_balance import FEWEST

THRESHOLD: Final = FEWEST
NO_LANGUAGE: Final = "und"


@dataclass(frozen=True)
class Placed:
    """An answer with what is said beside it."""

    answer: Answer
    stratum: str
    week: dt.date
    language: str


def placed(answers: Sequence[Answer], merged: Mapping[str, str]) -> list[Placed]:
    """The answers, each in a cell of its questionnaire, stratum and week with eleven of them.

    ``merged`` says which stratum another one goes into, see :func:`merged_strata`.
    """
    groups: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[answer.digest, merged.get(answer.stratum, answer.stratum)].append(answer)
    found = [
        (answer, stratum, week)
        for (_digest, stratum), of_group in sorted(groups.items())
        for week, of_week in _weeks(of_group)
        for answer in of_week
    ]
    keep = _languages_may_stay(found)
    return [
        Placed(answer, stratum, week, answer.language if keep else NO_LANGUAGE)
        for answer, stratum, week in found
    ]


def merged_strata(answers: Iterable[Answer]) -> dict[str, str]:
    """Stratum → the one it goes into, so that each keeps eleven answers per questionnaire, or one is left.

    Within its arrondissement as long as there is another there: results are read by whole arrondissements.
    """
    counts = Counter((answer.digest, answer.stratum) for answer in answers)
    into: dict[str, str] = {}
    while small := _smallest_below(counts):
        others = {stratum for _digest, stratum in counts} - {small}
        if not others:
            break
        target = _nearest(small, others, counts)
        into = {code: target if to == small else to for code, to in into.items()} | {small: target}
        for digest, stratum in [key for key in counts if key[1] == small]:
            counts[digest, target] += counts.pop((digest, stratum))
    return into


def _nearest(small: str, others: Iterable[str], counts: Counter[tuple[str, str]]) -> str:
    """The smallest of those that share the most with it: « niort.mayor.under_500 » is of « niort.mayor »."""
    parts = small.split(".")

    def distance(stratum: str) -> tuple[int, int, str]:
        shared = sum(
            1
            for _ in takewhile(lambda pair: pair[0] == pair[1], zip(parts, stratum.split("."), strict=False))
        )
        return -shared, _total(counts, stratum), stratum

    return min(others, key=distance)


def _smallest_below(counts: Counter[tuple[str, str]]) -> str | None:
    below = {stratum for (_digest, stratum), number in counts.items() if number < THRESHOLD}
    return min(below, key=lambda stratum: (_total(counts, stratum), stratum), default=None)


def _total(counts: Counter[tuple[str, str]], stratum: str) -> int:
    return sum(number for (_digest, code), number in counts.items() if code == stratum)


def _weeks(answers: Iterable[Answer]) -> Iterator[tuple[dt.date, list[Answer]]]:
    """Weeks in order, taken together until there are eleven; what is left at the end joins the last ones."""
    by_week = groupby(sorted(answers, key=lambda one: one.week), key=lambda one: one.week)
    full: list[tuple[dt.date, list[Answer]]] = []
    open_group: tuple[dt.date, list[Answer]] | None = None
    for week, of_week in by_week:
        first, gathered = open_group or (week, [])
        open_group = (first, [*gathered, *of_week])
        if len(open_group[1]) >= THRESHOLD:
            full.append(open_group)
            open_group = None
    if open_group:
        full = [*full[:-1], (full[-1][0], full[-1][1] + open_group[1])] if full else [open_group]
    yield from full


def _languages_may_stay(found: Iterable[tuple[Answer, str, dt.date]]) -> bool:
    counts = Counter((answer.digest, stratum, week, answer.language) for answer, stratum, week in found)
    return len({language for *_rest, language in counts}) <= 1 or min(counts.values()) >= THRESHOLD
