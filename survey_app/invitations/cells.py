"""What may stay beside a mixed answer: version, stratum and week, merged until eleven answers share them.

Who knows from copies of the database, or from reminders, in which week a person answered, is left with eleven
answers at least. Pure: no database.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, takewhile
from typing import Final

from survey_app.invitations.sealed_answers import Answer
from survey_app.responses.link_facts import FEWEST

THRESHOLD: Final = FEWEST
NO_LANGUAGE: Final = "und"
KNOWN_BY_THE_FRAME: Final = frozenset({"office_held", "commune_size"})
"""Questions of earlier versions: beside the stratum they would take apart again what was merged."""


@dataclass(frozen=True)
class Placed:
    """An answer with what is said beside it."""

    answer: Answer
    digest: str
    """Of the version of the questionnaire that it is said to be an answer to."""
    stratum: str
    week: dt.date
    language: str


def placed(answers: Sequence[Answer], merged: Mapping[str, str], current: str) -> list[Placed]:
    """The answers, each in a cell of its questionnaire, stratum and week with eleven of them.

    ``merged`` says which stratum another one goes into, see :func:`merged_strata`; ``current`` is the digest
    of the questionnaire that the wave asks now.
    """
    strata: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        strata[merged.get(answer.stratum, answer.stratum)].append(answer)
    found = [
        Placed(answer, digest, stratum, week, answer.language)
        for stratum, of_stratum in sorted(strata.items())
        for digest, of_digest in sorted(_versions(of_stratum, current).items())
        for week, of_week in _weeks(of_digest)
        for answer in of_week
    ]
    return found if _languages_may_stay(found) else [replace(one, language=NO_LANGUAGE) for one in found]


def _versions(answers: Iterable[Answer], current: str) -> dict[str, list[Answer]]:
    """Digest → its answers. Few to one version are said to be to the current one, or to the largest."""
    groups: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[answer.digest].append(answer)
    while len(groups) > 1:
        small = min(groups, key=lambda digest: (len(groups[digest]), digest))
        if len(groups[small]) >= THRESHOLD:
            break
        of_small = groups.pop(small)
        groups[max(groups, key=lambda digest: (digest == current, len(groups[digest]), digest))] += of_small
    return groups


def merged_strata(answers: Iterable[Answer]) -> dict[str, str]:
    """Stratum → the one it goes into, so that each keeps eleven answers, or one is left.

    Within its arrondissement as long as there is another there: results are read by whole arrondissements.
    """
    counts = Counter(answer.stratum for answer in answers)
    into: dict[str, str] = {}
    while len(counts) > 1:
        small = min(counts, key=lambda stratum: (counts[stratum], stratum))
        if counts[small] >= THRESHOLD:
            break
        of_small = counts.pop(small)
        target = _nearest(small, counts)
        into = {code: target if to == small else to for code, to in into.items()} | {small: target}
        counts[target] += of_small
    return into


def _nearest(small: str, others: Mapping[str, int]) -> str:
    """The smallest of those that share the most with it: « niort.mayor.under_500 » is of « niort.mayor »."""
    parts = small.split(".")

    def distance(stratum: str) -> tuple[int, int, str]:
        pairs = zip(parts, stratum.split("."), strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return -shared, others[stratum], stratum

    return min(others, key=distance)


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


def _languages_may_stay(found: Iterable[Placed]) -> bool:
    counts = Counter((one.digest, one.stratum, one.week, one.language) for one in found)
    return len({language for *_rest, language in counts}) <= 1 or min(counts.values()) >= THRESHOLD
