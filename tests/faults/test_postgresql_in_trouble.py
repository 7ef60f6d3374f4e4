"""PostgreSQL is gone for a while, gives no more connections, or is another one: the server runs on."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import psycopg
import pytest
from werkzeug.test import TestResponse

from survey_app.database import db, make_engine
from survey_app.migrations import upgrade
from survey_app.responses.intake import judge_waiting
from tests.faults import campaign
from tests.faults.fault_ledger import SIMULATED
from tests.faults.ledger import Ledger, read_database
from tests.faults.postgresql_cluster import Cluster, cluster
from tests.faults.server_process import served_site
from tests.faults.simulated_tablets import Fleet, fleet
from tests.faults.storm import SEED
from tests.survey_app.tablet_site import FakeTablet, TabletSite

pytestmark = pytest.mark.timeout(300)

TABLETS: Final = 4
FEW_CONNECTIONS: Final = 10
RESERVED_FOR_THE_STAFF: Final = 3
PATIENCE: Final = 60


@pytest.fixture
def torn() -> Iterator[Cluster]:
    with cluster() as started:
        yield started


def all_delivered(request: pytest.FixtureRequest, site: TabletSite, tablets: Fleet, ledger: Ledger) -> None:
    """In the calm everything gets its receipt, is judged and counted, once."""
    assert tablets.drain(PATIENCE)
    stored = campaign.wait_until_judged(site)
    campaign.assert_counted_once(site)
    campaign.close(request, ledger, stored)
    assert stored.rows.keys() == ledger.attempted
    assert stored.records.keys() == ledger.acknowledged


def statuses(tablets: Fleet) -> set[int]:
    """What each tablet is told of the record that it has tried longest; the tablet does not hear it."""
    return {tablet._put(tablet.queue[0])[0] for tablet in tablets.tablets if tablet.queue}


def health(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/healthz")
        return connection.getresponse().status


@pytest.mark.ledger(SIMULATED)
@pytest.mark.parametrize("seconds", [2, pytest.param(30, id="all", marks=pytest.mark.deep)])
def test_a_postgresql_that_is_gone_for_a_while_costs_time_and_nothing_else(
    request: pytest.FixtureRequest, torn: Cluster, tmp_path: Path, seconds: float
) -> None:
    ledger = Ledger()
    with served_site(tmp_path, torn.url) as (site, server, digest):
        tablets = fleet(site, TABLETS, SEED, digest=digest, port=server.port, ledger=ledger)
        with tablets.at_work():
            time.sleep(1)
            torn.stop()
            ledger.strike("postgresql_gone", {one.id for tablet in tablets.tablets for one in tablet.queue})
            time.sleep(seconds)
            assert health(server.port) == 503
            assert statuses(tablets) <= {503}
            torn.start()
            since = time.monotonic()
            while health(server.port) != 200:
                assert time.monotonic() - since < PATIENCE, "the server does not come back by itself"
        all_delivered(request, site, tablets, ledger)


@pytest.mark.ledger(SIMULATED)
@pytest.mark.parametrize("times", [1, pytest.param(10, id="all", marks=pytest.mark.deep)])
def test_connections_that_are_used_up_make_the_tablets_come_again(
    request: pytest.FixtureRequest, torn: Cluster, tmp_path: Path, times: int
) -> None:
    torn.run(f"ALTER SYSTEM SET max_connections = {FEW_CONNECTIONS}")
    torn.restart_at_once()
    ledger = Ledger()
    with served_site(tmp_path, torn.url) as (site, server, digest):
        tablets = fleet(site, TABLETS, SEED, digest=digest, port=server.port, ledger=ledger)
        for tablet in tablets.tablets:
            tablet.save()
        for _time in range(times):
            with all_connections_of(torn):
                ledger.strike(
                    "connections_used_up", {one.id for tablet in tablets.tablets for one in tablet.queue}
                )
                assert statuses(tablets) <= {503}
                for tablet in tablets.tablets:
                    assert not tablet.send()
                    tablet.save()
        assert not ledger.acknowledged
        all_delivered(request, site, tablets, ledger)


@contextlib.contextmanager
def all_connections_of(torn: Cluster) -> Iterator[None]:
    """Somebody else has every connection, those of the server too, as long as the block lasts."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'survey'"
    with ExitStack() as held:
        first = psycopg.connect(torn.url.replace("/survey?", "/postgres?"), autocommit=True)
        held.callback(first.close)
        full = 0
        while full < 3:  # the server may have been quicker
            first.execute(others)
            try:
                while True:
                    another = psycopg.connect(torn.url.replace("/survey?", "/postgres?"))
                    held.callback(another.close)
            except psycopg.OperationalError:
                full += 1
        yield


def test_what_an_empty_replica_takes_bears_another_epoch_and_comes_again_to_the_right_database(
    torn: Cluster, tmp_path: Path
) -> None:
    """Nobody copied anything to it; the server still recognises a tablet by its signature."""
    torn.run("CREATE DATABASE replica")
    engine = make_engine(torn.url.replace("/survey?", "/replica?"))
    upgrade(engine)
    engine.dispose()
    with served_site(tmp_path, torn.url) as (site, _server, _digest):
        tablet = FakeTablet.enrolled(site)
        records = [tablet.envelope() for _ in range(3)]
        first = tablet.put(records[0]).get_json()
        assert tablet.is_receipt_for(records[0], first)
        torn.put_behind("replica", "original")
        there = [after_the_first_outage(tablet, raw).get_json() for raw in records[:2]]
        assert all(tablet.is_receipt_for(raw, told) for raw, told in zip(records[:2], there, strict=True))
        assert first["epoch"] not in {told["epoch"] for told in there}
        assert read_database(torn.url).records.total() == 2
        torn.put_behind("original", "replica")
        again = [after_the_first_outage(tablet, raw).get_json() for raw in (*records, *reversed(records))]
        assert {told["epoch"] for told in again} == {first["epoch"]}
        assert_each_once(site, torn, len(records))


def test_a_database_without_tables_behind_the_running_server_gives_no_receipt(
    torn: Cluster, tmp_path: Path
) -> None:
    torn.run("CREATE DATABASE bare")
    with served_site(tmp_path, torn.url) as (site, _server, _digest):
        tablet = FakeTablet.enrolled(site)
        raw = tablet.envelope()
        torn.put_behind("bare", "original")
        answer = after_the_first_outage(tablet, raw)
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
        torn.put_behind("original", "bare")
        assert tablet.is_receipt_for(raw, after_the_first_outage(tablet, raw).get_json())
        assert_each_once(site, torn, 1)


def test_a_replica_that_stayed_behind_is_filled_again_and_counts_nothing_twice(
    torn: Cluster, tmp_path: Path
) -> None:
    """As after a restore: the tablet is told another epoch, and sends again all that it has."""
    with served_site(tmp_path, torn.url) as (site, server, _digest):
        tablet = FakeTablet.enrolled(site)
        records = [tablet.envelope() for _ in range(6)]
        receipts = [tablet.put(raw).get_json() for raw in records[:2]]
        server.kill()
        release(site)
        torn.run("CREATE DATABASE replica TEMPLATE survey")
        with psycopg.connect(torn.url.replace("/survey?", "/replica?")) as replica:
            replica.execute("UPDATE server_fact SET value = 'another' WHERE key = 'epoch'")
        server.start()
        receipts += [tablet.put(raw).get_json() for raw in records[2:4]]
        torn.put_behind("replica", "original")
        told = after_the_first_outage(tablet, records[0]).get_json()
        assert told["epoch"] == "another" != receipts[0]["epoch"]
        for raw in (*records, *reversed(records)):
            assert tablet.is_receipt_for(raw, tablet.put(raw).get_json())
        campaign.wait_until_judged(site)
        assert_each_once(site, torn, len(records))


def after_the_first_outage(tablet: FakeTablet, raw: bytes) -> TestResponse:
    """What a tablet is told when the connections of before are gone, and it came again as it was told."""
    for _try in range(20):
        answer = tablet.put(raw)
        if answer.status_code != 503:
            break
    return answer


def release(site: TabletSite) -> None:
    """No connection of this process is left."""
    with site.app.app_context():
        db.session.remove()
        db.engine.dispose()


def assert_each_once(site: TabletSite, torn: Cluster, records: int) -> None:
    """So many records, each stored, judged and counted once."""
    release(site)
    with site.app.app_context():
        judge_waiting()
    stored = read_database(torn.url)
    assert (stored.records.total(), len(stored.rows)) == (records, records)
    assert stored.responses.keys() == stored.rows.keys()
    assert set(stored.responses.values()) == {1}
    campaign.assert_counted_once(site)
