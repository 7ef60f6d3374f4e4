"""What may stay beside a mixed answer: version, stratum and week, merged until eleven answers share them.

Who knows from copies of the database, or from reminders, in which week a person answered, is left with eleven
answers at least. Pure: no database.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
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

    ``merged`` says which stratum another one goes into (``strata.merged_strata``); ``current`` is the digest
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
