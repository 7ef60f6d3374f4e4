"""The attacker: has the database, every copy of it, and the code. Who gave which answer?

What can be stolen is written down as plain values (:class:`Loot`), and the same guesses are made of a build
that keeps the protocol and of a naive one, where participation and answer are rows of one transaction.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from survey_app.database import db, write_connection

Guess = dict[str, int]
"""Participant → the answer that is said to be theirs, by its content (a number that only they gave)."""


@dataclass(frozen=True)
class Participation:
    """What is to be seen of one participant, now and in the copies."""

    number: str
    place: int
    """Where the row lies in the storage."""
    transaction: str
    """Of its last change, where the database tells."""
    seen_in_copy: int
    """The first copy in which it had taken part."""
    stratum: str
    size: int = 0


@dataclass(frozen=True)
class Given:
    """What is to be seen of one answer."""

    content: int
    place: int
    transaction: str
    site: str
    day: dt.date
    size: int
    name: str


@dataclass(frozen=True)
class Loot:
    """Everything that was carried away."""

    participations: Sequence[Participation]
    answers: Sequence[Given]
    weeks_of_copies: Sequence[dt.date]
    """In which week each copy was made."""


def storage(table: str) -> tuple[str, str]:
    """How to ask for the place and the transaction of a row; SQLite tells no transaction."""
    if db.engine.dialect.name == "postgresql":
        return "ctid::text", "xmin::text"
    return ("id" if table in ("invitation", "sealed_answer") else "rowid"), "''"


def rows_in_storage(table: str, columns: str, where: str = "1=1", **values: Any) -> list[Any]:
    """(transaction, *columns) of the rows, in the order in which they lie on disk."""
    place, transaction = storage(table)
    order = "ctid" if place.startswith("ctid") else place
    statement = sa.text(f"SELECT {transaction}, {columns} FROM {table} WHERE {where} ORDER BY {order}")
    with db.engine.connect() as connection:
        return list(connection.execute(statement, values))


def in_pairs(participations: Iterable[Participation], answers: Iterable[Given]) -> Guess:
    """The first with the first, the second with the second."""
    return {one.number: given.content for one, given in zip(participations, answers, strict=False)}


def by_place(loot: Loot) -> Guess:
    """Rows lie in the order in which they came."""
    return in_pairs(
        sorted(loot.participations, key=lambda one: one.place),
        sorted(loot.answers, key=lambda one: one.place),
    )


def by_transaction(loot: Loot) -> Guess:
    """Rows of one transaction belong together; transactions are counted upwards."""
    answers = sorted(loot.answers, key=lambda one: (len(one.transaction), one.transaction, one.place))
    people = sorted(loot.participations, key=lambda one: (len(one.transaction), one.transaction, one.place))
    return in_pairs(people, answers)


def by_copies(loot: Loot) -> Guess:
    """Who took part earlier has the earlier answer, by the place of its row."""
    people = sorted(loot.participations, key=lambda one: (one.seen_in_copy, one.place))
    return in_pairs(people, sorted(loot.answers, key=lambda one: one.place))


def by_name(loot: Loot) -> Guess:
    """Numbers that look random may have been made in order."""
    people = sorted(loot.participations, key=lambda one: one.number)
    return in_pairs(people, sorted(loot.answers, key=lambda one: one.name))


def by_size(loot: Loot) -> Guess:
    """Long answers make long blobs."""
    people = sorted(loot.participations, key=lambda one: (one.size, one.place))
    return in_pairs(people, sorted(loot.answers, key=lambda one: (one.size, one.place)))


TRACES: Final[Mapping[str, Callable[[Loot], Guess]]] = {
    "place": by_place,
    "transaction": by_transaction,
    "copies": by_copies,
    "name": by_name,
    "size": by_size,
}
"""Guesses from what a database keeps beside its contents."""


def _naive(number: str, name: str, place: int, **changes: int) -> tuple[Participation, Given]:
    """One of a build that keeps a single trace: the rest is drawn."""
    person = Participation(
        number, changes.get("row", 0), "", changes.get("copy", 0), "niort", changes.get("size", 0)
    )
    return person, Given(
        place, changes.get("row_of_answer", 0), "", "niort", dt.date(2026, 3, 9), changes.get("size", 0), name
    )


def naive_of_one_trace(trace: str, people: int, chance: random.Random) -> tuple[Loot, dict[str, int]]:
    """A build that keeps this trace and no other, and the truth: a guess that does not find it is none."""
    rows, pairs = chance.sample(range(people), people), list[tuple[Participation, Given]]()
    for place in range(people):
        number, name = f"{chance.getrandbits(128):032x}", f"{chance.getrandbits(128):032x}"
        if trace == "name":  # numbers made in order
            number, name = f"{place:032x}", f"{place:032x}"
        kept = {
            "copies": {"copy": place, "row": rows[place], "row_of_answer": place},
            "size": {"size": 1000 + place, "row": rows[place], "row_of_answer": rows[-1 - place]},
            "name": {"row": rows[place], "row_of_answer": rows[-1 - place]},
        }[trace]
        pairs.append(_naive(number, name, place, **kept))
    chance.shuffle(pairs)
    loot = Loot([one for one, _ in pairs], [given for _, given in pairs], [dt.date(2026, 3, 9)] * people)
    return loot, {one.number: given.content for one, given in pairs}


def everything() -> dict[str, list[str]]:
    """Table → all its rows as text: accounts, log of acts, mails, drafts and flags included."""
    with db.engine.connect() as connection:
        return {
            table.name: [repr(tuple(row)) for row in connection.execute(sa.select(table))]
            for table in db.metadata.sorted_tables
        }


def within_cells(loot: Loot, chance: random.Random) -> tuple[Guess, float]:
    """Guesses among those of one stratum and week, as the copies tell them; and how many hits chance brings.

    The stratum and the week of an answer may be known: this is what the threshold of eleven is for.
    """
    answers: dict[str, list[Given]] = defaultdict(list)
    for given in loot.answers:
        answers[given.site].append(given)
    guess: Guess = {}
    expected = 0.0
    for site, of_site in answers.items():
        days = sorted({given.day for given in of_site})
        cells: dict[dt.date, list[Given]] = {day: [g for g in of_site if g.day == day] for day in days}
        for one in loot.participations:
            if one.stratum != site:
                continue
            week = loot.weeks_of_copies[one.seen_in_copy]
            day = max((day for day in days if day <= week), default=days[0])
            guess[one.number] = chance.choice(cells[day]).content
            expected += 1 / len(cells[day])
    return guess, expected


def hits(guess: Guess, truth: Mapping[str, int]) -> int:
    """How many were told rightly."""
    return sum(truth[number] == content for number, content in guess.items())


NAIVE: Final = (
    "CREATE TABLE naive_participation (number TEXT, stratum TEXT)",
    "CREATE TABLE naive_answer (name TEXT, content INTEGER, site TEXT, day TEXT, body TEXT)",
)


def naive_campaign(arrivals: Sequence[tuple[str, str, int, str]]) -> Loot:
    """(number, stratum, content, name) in the order of arrival: two rows in one transaction, never mixed."""
    with write_connection() as connection:
        for statement in NAIVE:
            connection.execute(sa.text(statement))
    for number, stratum, content, name in arrivals:
        with write_connection() as connection:
            connection.execute(
                sa.text("INSERT INTO naive_participation VALUES (:number, :stratum)"),
                {"number": number, "stratum": stratum},
            )
            connection.execute(
                sa.text("INSERT INTO naive_answer VALUES (:name, :content, :site, '2026-03-09', '')"),
                {"name": name, "content": content, "site": stratum},
            )
    people = [
        Participation(number, place, transaction, 0, stratum)
        for place, (transaction, number, stratum) in enumerate(
            rows_in_storage("naive_participation", "number, stratum")
        )
    ]
    answers = [
        Given(content, place, transaction, site, dt.date(2026, 3, 9), 0, name)
        for place, (transaction, content, site, name) in enumerate(
            rows_in_storage("naive_answer", "content, site, name")
        )
    ]
    with write_connection() as connection:
        for table in ("naive_participation", "naive_answer"):
            connection.execute(sa.text(f"DROP TABLE {table}"))
    return Loot(people, answers, [dt.date(2026, 3, 9)])
