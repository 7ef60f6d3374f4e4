"""A simulated fieldwork for the attacker: who answers what in which order, and what the copies show."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Mapping

import sqlalchemy as sa

from survey_app.database import db
from survey_app.invitation_models import Invitation, SealedAnswer
from survey_app.invitations.redemption import Holder, hand_in
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.invited import ASKED, close
from tests.survey_app.invitations.linkage import (
    Given,
    Loot,
    Participation,
    rows_in_storage,
)

OFFICIALS, ANSWERING, SEEDS, COPY_EVERY = 230, 200, 20, 20


MONDAY = dt.date(2026, 3, 2)


WEEKS = 4


class Campaign:
    """One simulated fieldwork: who answers what in which order, and what the copies show."""

    def __init__(self, digest: str, seed: int, people: int = OFFICIALS, answering: int = ANSWERING) -> None:
        self.wave, self.digest = f"elus-{seed:03}", digest
        self.chance = random.Random(seed)
        numbers = invited.a_wave(people, wave_id=self.wave, digest=digest, opens_on=MONDAY)
        self.arrivals = self.chance.sample(numbers, answering)
        contents = self.chance.sample(range(answering), answering)
        self.truth = dict(zip(self.arrivals, contents, strict=True))
        self.seen: dict[str, int] = {}
        self.weeks: list[dt.date] = []
        self.pool: dict[str, int] = {}
        self.sizes: dict[str, int] = {}

    def run(self) -> None:
        """Everybody answers, with copies made all along; then the wave is closed."""
        for place, number in enumerate(self.arrivals):
            week = MONDAY + dt.timedelta(weeks=WEEKS * place // len(self.arrivals))
            said = {"waiting": ["good"], **told(self.truth[number]), "comment": "x" * (place % 97)}
            hand_in(
                Holder(number, 1), said, questionnaire=ASKED, digest=self.digest, language="fr", today=week
            )
            if (place + 1) % COPY_EVERY == 0:
                self.copy(week)
        close(self.wave)

    def copy(self, week: dt.date) -> None:
        """What a copy of this moment tells of who has taken part."""
        mine = sa.select(Invitation.id).where(Invitation.wave_id == self.wave, Invitation.state == "answered")
        with db.engine.connect() as connection:
            size = sa.func.length(SealedAnswer.sealed)
            pool = sa.select(SealedAnswer.id, size).where(SealedAnswer.wave_id == self.wave)
            found = {row[0]: row[1] for row in connection.execute(pool)}
            fresh = [size for name, size in found.items() if name not in self.pool]
            self.pool = found
            people = [number for number in connection.scalars(mine) if number not in self.seen]
            for number, size in zip(people, fresh, strict=True):
                self.seen[number], self.sizes[number] = len(self.weeks), size
        self.weeks.append(week)

    def loot(self) -> Loot:
        """All that the database tells at the end."""
        mine = {"wave": self.wave}
        found = rows_in_storage("invitation", "id, stratum", "wave_id = :wave", **mine)
        people = [row for row in found if row[1] in self.seen]
        answers = rows_in_storage(
            "response", "answers, site, answered_on, record_id", "wave_id = :wave", **mine
        )
        return Loot(
            [
                Participation(number, place, transaction, self.seen[number], stratum, self.sizes[number])
                for place, (transaction, number, stratum) in enumerate(people)
            ],
            [
                Given(
                    content=content(_read(said)),
                    place=place,
                    transaction=transaction,
                    site=site,
                    day=dt.date.fromisoformat(str(day)[:10]),
                    size=len(json.dumps(_read(said))),
                    name=name,
                )
                for place, (transaction, said, site, day, name) in enumerate(answers)
            ],
            self.weeks,
        )


def told(place: int) -> dict[str, int]:
    """Answers that only one person gives."""
    return {"minutes": place % 300, "recommend": place // 300}


def content(answers: Mapping[str, int]) -> int:
    return answers["minutes"] + 300 * answers["recommend"]


def _read(said: object) -> dict[str, int]:
    found: dict[str, int] = json.loads(said) if isinstance(said, str) else said  # type: ignore[assignment]
    return found
