"""Many tablets, a real server, a bad network, kills: the seed decides what happens to which record.

`SEED=…` gives the seed; it is in the message of every failure.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from survey_app.rescue import KNOWN, STORED, import_file
from tests.faults import campaign
from tests.faults.fault_ledger import SIMULATED
from tests.faults.fault_proxy import FAULTS, fault_proxy
from tests.faults.ledger import Ledger, Stored
from tests.faults.server_process import served_site
from tests.faults.simulated_tablets import SimulatedTablet, fleet
from tests.faults.storm import AT_MOST, SEED, Blows, Weather, database_of
from tests.survey_app.tablet_site import TabletSite

pytestmark = pytest.mark.timeout(900)

TABLETS = 24
A_MOMENT = 4
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
        bring_in_by_file(site, tablets.tablets[::2])
        assert tablets.drain(PATIENCE), f"a queue does not empty (SEED={SEED})"
        stored = campaign.wait_until_judged(site)
        campaign.assert_counted_once(site)
    return ledger, stored


def bring_in_by_file(site: TabletSite, tablets: list[SimulatedTablet]) -> None:
    """The staff read what was set aside from a file of each of these tablets, which know nothing of it."""
    with site.app.app_context():
        for tablet in tablets:
            waiting = [record.raw.decode() for record in tablet.queue if record.quarantined]
            fates = import_file(json.dumps({"records": waiting}).encode(), by="test") if waiting else []
            assert {fate.fate for fate in fates} <= {STORED, KNOWN}


@pytest.mark.ledger(SIMULATED)
@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        *((kind, A_MOMENT) for kind in ("sqlite", "postgresql")),
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
    assert run.whole.quarantined > 0 or seconds == A_MOMENT, "no record was refused on its way"


REFUSALS = [name for name in FAULTS if name.startswith("record_refused")]


@pytest.mark.parametrize("by_file", [False, True], ids=["the agent sends again", "rescue file"])
def test_a_record_that_was_refused_on_its_way_is_set_aside_and_then_stored_once(
    tmp_path: Path, by_file: bool
) -> None:
    ledger, met = Ledger(), iter(REFUSALS)
    with (
        served_site(tmp_path) as (site, server, digest),
        fault_proxy(server.port, lambda exchange: next(met, None) if exchange.record else None) as proxy,
    ):
        (tablet,) = fleet(site, 1, SEED, digest=digest, port=proxy.port, ledger=ledger).tablets
        for _refusal in REFUSALS:
            tablet.save()
        tablet.send()
        assert ledger.quarantined == ledger.attempted
        assert (len(ledger.attempted), ledger.acknowledged) == (len(REFUSALS), set())
        if by_file:
            bring_in_by_file(site, [tablet])
        assert tablet.drain(PATIENCE)
        stored = campaign.wait_until_judged(site)
        campaign.assert_counted_once(site)
    whole, _ = ledger.against(stored)
    assert (whole.stored, whole.acknowledged, whole.quarantined) == (len(REFUSALS),) * 3
    assert (whole.lost, whole.duplicated) == (0, 0)


def test_the_same_storm_over_tablets_that_take_any_success_for_a_receipt_loses(tmp_path: Path) -> None:
    """The control: the sign-in page of a network counts as a receipt."""
    ledger, stored = storm(tmp_path, "sqlite", A_MOMENT, trusting=True)
    whole, _ = ledger.against(stored)
    assert whole.lost > 0
