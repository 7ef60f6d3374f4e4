"""What a seed does to network, server and database while a campaign lasts."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from tests.faults.fault_proxy import FAULTS, Exchange, FaultProxy
from tests.faults.ledger import Ledger
from tests.faults.postgresql_cluster import Cluster, cluster
from tests.faults.server_process import ServerProcess

SEED = int(os.environ.get("SEED", "20261125"))
AT_MOST = float(os.environ.get("CAMPAIGN_SECONDS", "3000"))
"""How long a storm may last. On a slow machine fewer people answer meanwhile; the ledger says how many."""
SHARE_OF_RECORDS, SHARE_OF_THE_REST = 0.25, 0.05
FOR_ANY_REQUEST = [name for name in FAULTS if name.startswith("answer") or name == "request_lost"]


@dataclass
class Weather:
    """Decides from the seed which exchange meets which fault, as long as the storm lasts."""

    ledger: Ledger
    seed: int = SEED
    storm: bool = False
    _tries: dict[str, int] = field(default_factory=dict)

    def choose(self, exchange: Exchange) -> str | None:
        """The same record at the same try meets the same fault, whatever the threads do."""
        if not self.storm:
            return None
        record = exchange.record
        name = record or "the rest"
        tries = self._tries[name] = self._tries.get(name, 0) + 1
        chance = random.Random(f"{self.seed} {name} {tries}")
        if chance.random() >= (SHARE_OF_RECORDS if record else SHARE_OF_THE_REST):
            return None
        fault = chance.choice(list(FAULTS) if record else FOR_ANY_REQUEST)
        self.ledger.strike(fault, [record] if record else [])
        return fault


@dataclass
class Blows:
    """Strikes server and database again and again, at moments that the seed decides."""

    proxy: FaultProxy
    ledger: Ledger
    server: ServerProcess
    torn: Cluster | None
    longest_pause: float
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))

    @contextmanager
    def falling(self) -> Iterator[None]:
        """As long as the block lasts. Afterwards the server runs."""
        ending = threading.Event()
        thread = threading.Thread(target=self._fall, args=(ending,))
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join()

    def _fall(self, ending: threading.Event) -> None:
        while not ending.wait(self.chance.uniform(0.2, self.longest_pause)):
            if self.torn is not None and self.chance.random() < 0.6:
                self._note("postgresql_restarted_at_once")
                self.torn.restart_at_once()
            else:
                self._note("server_killed")
                self.server.kill()
                self.server.start()

    def _note(self, kind: str) -> None:
        self.ledger.strike(kind, tuple(self.proxy.on_their_way))


@contextmanager
def database_of(kind: str) -> Iterator[Cluster | None]:
    """A PostgreSQL to be torn down, or nothing: SQLite needs none."""
    with cluster() if kind == "postgresql" else nullcontext() as torn:
        yield torn
