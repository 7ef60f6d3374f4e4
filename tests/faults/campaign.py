"""What the campaigns share at their end: everything is judged, counted once, and in the ledger."""

from __future__ import annotations

import time

import pytest

from survey_app.database import db
from survey_app.responses import tallies
from tests.faults.fault_ledger import Run
from tests.faults.ledger import Ledger, Stored, read_database
from tests.faults.storm import SEED
from tests.survey_app.tablet_site import TabletSite

JUDGE_SECONDS = 180


def wait_until_judged(site: TabletSite) -> Stored:
    """The server's own worker makes a response of each record; what it stored then."""
    url = site.app.extensions["survey_settings"].database_url
    until = time.monotonic() + JUDGE_SECONDS
    while (stored := read_database(url)).rows.keys() != stored.responses.keys():
        assert time.monotonic() < until, f"not everything is judged (SEED={SEED})"
        time.sleep(0.5)
    return stored


def assert_counted_once(site: TabletSite) -> None:
    """The counters are those of the responses."""
    with site.app.app_context():
        db.engine.dispose()  # its connections are from before the last restart
        with db.engine.connect() as connection:
            assert tallies.differences(connection, site.wave) == [], f"SEED={SEED}"


def close(request: pytest.FixtureRequest, ledger: Ledger, stored: Stored) -> Run:
    """Keep the figures as they are, then insist."""
    run = Run.of(request, SEED)
    run.whole, run.kinds = ledger.against(stored)
    run.keep()
    assert (run.whole.lost, run.whole.duplicated) == (0, 0), f"{run} (SEED={SEED})"
    assert not stored.kept_apart, f"SEED={SEED}"
    assert stored.rows.keys() <= ledger.attempted, f"SEED={SEED}"
    return run
