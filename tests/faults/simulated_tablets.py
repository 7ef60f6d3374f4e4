"""Many tablets in one process: each saves, chains, sends and sends again as the client does, only faster.

What a tablet writes down outlives its death here as on a disk; what it only knew is forgotten.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from survey_app.responses.credentials import content_digest, sign_request
from survey_app.responses.envelope import content_hash, read_envelope
from tests.faults.ledger import Ledger
from tests.survey_app.tablet_site import FakeTablet, TabletSite

TIMEOUT = 10
QUARANTINED_BY: Final = (400, 413)
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
AT_ONCE = 6
"""So many of those that wait are tried before the next person answers."""
ANSWERS: Final = ("very_satisfied", "satisfied", "dissatisfied", "very_dissatisfied")
FULL_HOUSE = 60
"""Nobody else comes while so many wait: what is being tested is the delivery."""
FORGETS, DOUBTS, SHUFFLES, AGENT_COMES = 0.03, 0.03, 0.2, 0.02
"""How often a tablet dies between receipt and note, sends again what has a receipt, sends in any order, and
how often an agent has it send again what was set aside."""


@dataclass
class Waiting:
    """A record on the disk of a tablet."""

    id: str
    raw: bytes
    attempts: int = 0
    quarantined: bool = False


@dataclass
class SimulatedTablet:
    """One tablet with its chain and its queue."""

    identity: FakeTablet
    digest: str
    port: int
    ledger: Ledger
    chance: random.Random
    trusting: bool = False
    """The control: any success counts as a receipt."""
    queue: list[Waiting] = field(default_factory=list)
    sent: list[Waiting] = field(default_factory=list)
    _prev: str | None = None

    def live(self, ending: threading.Event) -> None:
        """One person after the other, until the doors close."""
        while not ending.is_set():
            if len(self.queue) < FULL_HOUSE:
                self.save()
            if self.chance.random() < AGENT_COMES:
                self.send_what_was_set_aside()
            self.send()
            ending.wait(self.chance.uniform(0, 0.05))

    def save(self) -> None:
        """The next person's record, sealed and chained, on the disk."""
        record = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        answers = {"courtesy": [self.chance.choice(ANSWERS)], "minutes": self.chance.randint(0, 300)}
        raw = self.identity.envelope(answers, id=record, prev=self._prev, questionnaire_digest=self.digest)
        self._prev = read_envelope(raw).link
        self.ledger.attempt(record)
        self.queue.append(Waiting(record, raw))

    def send(self) -> bool:
        """One pass over what waits; whether all of it has its receipt."""
        due = [record for record in self.queue if not record.quarantined]
        if self.chance.random() < SHUFFLES and len(due) > 1:
            self.ledger.strike("tablet_sends_out_of_order", [record.id for record in due])
            self.chance.shuffle(due)
        for record in due[:AT_ONCE]:
            if not self._deliver(record):
                time.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2**record.attempts))
                return False
        if self.sent and self.chance.random() < DOUBTS:
            again = self.chance.choice(self.sent)
            self.ledger.strike("tablet_sends_again_after_the_receipt", [again.id])
            self._deliver(again)
        return not any(not record.quarantined for record in self.queue)

    def send_what_was_set_aside(self) -> None:
        """The agent's act: « Renvoyer les refusés »."""
        for record in self.queue:
            record.quarantined = False

    def drain(self, patience: float) -> bool:
        """An agent has everything sent, what was refused as well; whether the queue is empty then."""
        self.send_what_was_set_aside()
        left, until = len(self.queue), time.monotonic() + patience
        while not self.send() and time.monotonic() < until:
            if len(self.queue) < left:
                left, until = len(self.queue), time.monotonic() + patience
        return not self.queue

    def _deliver(self, record: Waiting) -> bool:
        """Whether the tablet may go on with the next one."""
        record.attempts += 1
        try:
            status, answer = self._put(record)
        except (OSError, http.client.HTTPException):
            return False
        if self._is_receipt(record, status, answer):
            self._take_receipt(record)
            return True
        if status in QUARANTINED_BY:
            record.quarantined = True
            self.ledger.set_apart(record.id)
        return status in QUARANTINED_BY

    def _is_receipt(self, record: Waiting, status: int, answer: bytes) -> bool:
        if status not in (200, 201, 409):
            return False
        if self.trusting:
            return True
        try:
            return self.identity.is_receipt_for(record.raw, json.loads(answer))
        except (ValueError, KeyError, TypeError):
            return False

    def _take_receipt(self, record: Waiting) -> None:
        self.ledger.acknowledge(record.id, content_hash(record.raw))
        if self.chance.random() < FORGETS:
            self.ledger.strike("tablet_dies_before_it_notes_the_receipt", [record.id])
        elif record in self.queue:
            self.queue.remove(record)
            self.sent.append(record)

    def _put(self, record: Waiting) -> tuple[int, bytes]:
        path = f"/api/v1/records/{record.id}"
        headers: dict[str, Any] = {
            "X-Device": self.identity.device,
            "X-Signature": sign_request(self.identity.secret, "PUT", path, record.raw),
            "Content-Digest": content_digest(record.raw),
            "Content-Type": "application/json",
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request("PUT", path, record.raw, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@dataclass
class Fleet:
    """All tablets of a campaign."""

    tablets: list[SimulatedTablet]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """People answer as long as the block lasts."""
        ending = threading.Event()
        threads = [threading.Thread(target=tablet.live, args=(ending,)) for tablet in self.tablets]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ending.set()
            for thread in threads:
                thread.join()

    def drain(self, patience: float) -> bool:
        """Whether everything that waits gets its receipt; given up when so many seconds bring none."""
        with ThreadPoolExecutor(len(self.tablets)) as agents:
            return all(agents.map(lambda tablet: tablet.drain(patience), self.tablets))


def fleet(site: TabletSite, size: int, seed: int, **common: Any) -> Fleet:
    """So many enrolled tablets, each with its own part of the seed."""
    tablets = [
        SimulatedTablet(
            identity=FakeTablet.enrolled(site), chance=random.Random(f"{seed} {number}"), **common
        )
        for number in range(size)
    ]
    return Fleet(tablets)
