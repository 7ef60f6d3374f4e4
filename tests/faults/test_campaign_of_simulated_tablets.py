"""Many tablets, a real server, a bad network, kills: the seed decides what happens to which record.

`SEED=…` gives the seed; it is in the message of every failure.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults import campaign
from tests.faults.fault_ledger import SIMULATED
from tests.faults.fault_proxy import fault_proxy
from tests.faults.ledger import Ledger, Stored
from tests.faults.server_process import served_site
from tests.faults.simulated_tablets import fleet
from tests.faults.storm import AT_MOST, SEED, Blows, Weather, database_of

pytestmark = pytest.mark.timeout(900)

TABLETS = 24
PATIENCE = 60
LONGEST_PAUSE = 2.5


def storm(folder: Path, kind: str, seconds: float, *, trusting: bool = False) -> tuple[Ledger, Stored]:
    """So many seconds, and the calm after it; the ledger and what is stored."""
    ledger = Ledger()
    weather = Weather(ledger)
    with (
        database_of(kind) as torn,
        served_site(folder, torn.url if torn else "") as (site, server, digest),
        fault_proxy(server.port, weather.choose) as proxy,
    ):
        common = {"digest": digest, "port": proxy.port, "ledger": ledger, "trusting": trusting}
        tablets = fleet(site, TABLETS, SEED, **common)
        weather.storm = True
        with tablets.at_work(), Blows(proxy, ledger, server, torn, LONGEST_PAUSE).falling():
            time.sleep(min(seconds, AT_MOST))
        weather.storm = False
        assert tablets.drain(PATIENCE), f"a queue does not empty (SEED={SEED})"
        stored = campaign.wait_until_judged(site)
        campaign.assert_counted_once(site)
    return ledger, stored


@pytest.mark.ledger(SIMULATED)
@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        *((kind, 4) for kind in ("sqlite", "postgresql")),
        *(
            pytest.param(kind, 240, id=f"{kind}-all", marks=pytest.mark.deep)
            for kind in ("sqlite", "postgresql")
        ),
    ],
)
def test_a_storm_over_many_tablets_loses_nothing_and_counts_nothing_twice(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, seconds: int
) -> None:
    ledger, stored = storm(tmp_path, kind, seconds)
    run = campaign.close(request, ledger, stored)
    assert stored.rows.keys() == ledger.attempted, f"SEED={SEED}"
    assert stored.records.keys() == ledger.acknowledged, f"SEED={SEED}"
    assert run.whole.faults > 20


def test_the_same_storm_over_tablets_that_take_any_success_for_a_receipt_loses(tmp_path: Path) -> None:
    """The control: the sign-in page of a network counts as a receipt."""
    ledger, stored = storm(tmp_path, "sqlite", 4, trusting=True)
    whole, _ = ledger.against(stored)
    assert whole.lost > 0
