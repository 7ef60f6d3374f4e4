"""A tablet in a real browser through many lives: killed, without power, in a bad network, its server killed.

`SEED=…` gives the seed; it is in the message of every failure.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.browser.test_power_cut import root
from tests.faults import campaign
from tests.faults.browser_tablet import BrowserTablet
from tests.faults.fault_ledger import REAL
from tests.faults.fault_proxy import fault_proxy
from tests.faults.ledger import Ledger
from tests.faults.server_process import served_site
from tests.faults.storm import AT_MOST, SEED, Blows, Weather, database_of

__all__ = ["root"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

LONGEST_PAUSE = 8.0
DEEP = 300
"""Interviews on each kind of database: 500 together are asked for, and time may cut a campaign short."""
LONG = [pytest.mark.deep, pytest.mark.timeout(4500)]


def live(tablet: BrowserTablet, people: int) -> None:
    """Life after life, until so many people have answered, or the time is over."""
    until = time.monotonic() + AT_MOST
    while tablet.people < people and time.monotonic() < until:
        tablet.switch_on()
        tablet.serve(tablet.chance.randint(3, 12) if people == DEEP else 2)
        tablet.end_of_life()


@pytest.mark.ledger(REAL)
@pytest.mark.parametrize(
    ("kind", "people"),
    [
        ("sqlite", 6),
        *(pytest.param(kind, DEEP, id=f"{kind}-all", marks=LONG) for kind in ("sqlite", "postgresql")),
    ],
)
def test_what_a_tablet_showed_as_saved_is_stored_once_whatever_befell_browser_network_and_server(
    request: pytest.FixtureRequest, root: None, playwright: Playwright, tmp_path: Path, kind: str, people: int
) -> None:
    ledger, chance = Ledger(), random.Random(f"{SEED} {kind}")
    weather = Weather(ledger)
    with (
        database_of(kind) as torn,
        served_site(tmp_path / "server", torn.url if torn else "") as (site, server, _digest),
        fault_proxy(server.port, weather.choose) as proxy,
    ):
        address = f"http://127.0.0.1:{proxy.port}/tablette/"
        tablet = BrowserTablet(playwright, tmp_path / "tablet", address, ledger, chance)
        tablet.install(site)
        try:
            tablet.kill_browser()
            weather.storm = True
            with Blows(proxy, ledger, server, torn, LONGEST_PAUSE).falling():
                live(tablet, people)
            weather.storm = False
            tablet.switch_on()
            tablet.deliver_everything()
        finally:
            tablet.switch_off()
        stored = campaign.wait_until_judged(site)
        campaign.assert_counted_once(site)
    campaign.close(request, ledger, stored)
    assert tablet.kept <= stored.rows.keys(), f"a draft on the disk never arrived (SEED={SEED})"
