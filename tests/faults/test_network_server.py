"""The server dies at the worst moment, stumbles over one record, or gets old bytes: each record once."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Error, Playwright, expect

from survey_app.responses import inbox
from survey_app.responses.credentials import content_digest, device_secret, sign_request
from survey_app.responses.record_keys import held
from tests.browser.tablet_browser import PATIENCE, stored
from tests.faults import network_faults as faults
from tests.faults.tablet_on_a_line import (
    Line,
    ServerProcess,
    a_site,
    arrived,
    connected,
    server_process,
)
from tests.survey_app.tablet_chains import a_device
from tests.survey_app.tablet_site import FakeTablet, tablet_site

pytestmark = pytest.mark.timeout(300)

TABLETS = 300
LONGEST_REQUEST = 30
"""Seconds after which a tablet gives a request up."""
NOBODY = ""


@pytest.fixture
def tablet_and_server(playwright: Playwright, tmp_path: Path) -> Iterator[tuple[Line, ServerProcess]]:
    """The same with the server as it is installed, in a process of its own, not started."""
    with ExitStack() as stack:
        site = stack.enter_context(a_site(tmp_path / "server"))
        server = stack.enter_context(server_process(site))
        server.start()
        line = stack.enter_context(connected(playwright, tmp_path, site, server.port))
        server.stop()
        yield line, server


@pytest.mark.browser
@pytest.mark.fault(28)
def test_an_answer_lost_after_the_commit_comes_again_with_the_same_receipt(line: Line) -> None:
    line.proxy.meet(faults.answer_lost, "PUT")
    record = line.one_person()
    line.wait_until(record["id"], state="queued", attempts=1)
    assert line.arrived() == line.shown
    (first,) = line.site.records()
    line.deliver()
    receipted = line.record(record["id"])
    assert receipted["storedAt"] == first.received_at.isoformat(timespec="microseconds")


def die_once(line: Line, server: ServerProcess, point: str, *, stored: int) -> None:
    """The server dies with this record, and is started again."""
    server.start(point)
    record = line.one_person(point)
    server.wait_for_death()
    line.wait_until(record["id"], state="queued")
    assert line.arrived().total() == stored
    server.start()
    line.deliver()


@pytest.mark.browser
@pytest.mark.fault(29)
@pytest.mark.parametrize("point", ["after_commit", "mid_response"])
def test_a_server_killed_between_commit_and_receipt_gives_the_receipt_when_asked_again(
    tablet_and_server: tuple[Line, ServerProcess], point: str
) -> None:
    die_once(*tablet_and_server, point, stored=1)


@pytest.mark.browser
@pytest.mark.fault(30)
def test_a_server_killed_before_the_commit_has_nothing_and_gets_it_again(
    tablet_and_server: tuple[Line, ServerProcess],
) -> None:
    die_once(*tablet_and_server, "before_commit", stored=0)


@pytest.mark.browser
@pytest.mark.fault(34)
def test_a_record_over_which_the_server_stumbles_waits_alone_and_the_agent_is_told(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, poison = inbox.accept, NOBODY

    def stumble(raw: bytes, **named: Any) -> inbox.Receipt:
        if json.loads(raw)["id"] == poison:
            raise RuntimeError("poison")
        return accept(raw, **named)

    monkeypatch.setattr(inbox, "accept", stumble)
    line.proxy.meet(faults.request_lost, "PUT")
    poison = line.one_person("poison")["id"]
    others = [line.one_person("autre")["id"] for _ in range(2)]
    line.proxy.be_calm()
    line.try_again()
    for other in others:
        line.wait_until(other, state="receipted")
    assert line.wait_until(poison, state="queued", reason="500")["attempts"] > 0
    while (attempts := line.record(poison)["attempts"]) < 5:
        try_once_more(line, poison, attempts)
    line.says("failing")
    expect(line.page.locator("#agent-waiting")).to_have_text("1 en attente")
    monkeypatch.setattr(inbox, "accept", accept)
    line.deliver()


NO_ANSWER = {
    "line reset": faults.request_lost,
    "server busy": faults.answered("503 Service Unavailable"),
    "page instead of a receipt": faults.answered("200 OK", b"<!doctype html><p>Bloqu\xc3\xa9"),
    "nothing moves": faults.request_swallowed,
}
SWEPT = dict.fromkeys(("line reset", "page instead of a receipt"), pytest.mark.deep)
"""The sender's own tests have these as well (`client/sync.test.ts`)."""


@pytest.mark.browser
@pytest.mark.parametrize("name", [pytest.param(name, marks=SWEPT.get(name, ())) for name in NO_ANSWER])
def test_a_record_that_gets_no_answer_waits_alone_while_the_server_answers(line: Line, name: str) -> None:
    line.proxy.meet(faults.request_lost, "PUT")
    poison = line.one_person("poison")["id"]
    others = [line.one_person("autre")["id"] for _ in range(2)]
    line.proxy.meet(NO_ANSWER[name], "PUT", path=f"/records/{poison}")
    line.try_again()
    end = time.monotonic() + LONGEST_REQUEST + 20
    while any(line.record(other)["state"] != "receipted" for other in others):
        assert time.monotonic() < end, "one record holds up the others"
        line.page.wait_for_timeout(200)
    if name != "nothing moves":  # which takes half a minute each time
        while (attempts := line.record(poison)["attempts"]) < 8:
            try_once_more(line, poison, attempts)
        assert line.record(poison)["reason"] == "held_up"
        line.says("failing")
    line.deliver()


def try_once_more(line: Line, record_id: str, attempts: int) -> None:
    """Press until it was tried: a start page that goes on to a newer application forgets the press."""
    end = time.monotonic() + PATIENCE / 1_000
    while not was_tried_again(record_id, attempts, stored(line.page)):
        assert time.monotonic() < end, line.record(record_id)
        with contextlib.suppress(Error):
            line.try_again()
        line.page.wait_for_timeout(300)


def was_tried_again(record_id: str, attempts: int, found: list[dict[str, Any]]) -> bool:
    """Whether the server has refused it once more."""
    (record,) = [one for one in found if one["id"] == record_id]
    return bool(record["state"] == "queued" and record["attempts"] > attempts)


@pytest.mark.fault(26)
def test_three_hundred_tablets_that_send_at_the_same_moment_all_get_their_receipt(tmp_path: Path) -> None:
    with a_site(tmp_path / "server") as site, server_process(site) as server:
        with site.app.app_context():
            devices = [a_device(f"T-{number}") for number in range(TABLETS)]
            key = held().current()
        master = site.app.extensions["survey_settings"].device_master_key
        client = site.app.test_client()
        tablets = [FakeTablet(client, one, device_secret(master, one), key) for one in devices]
        server.start()
        start = Barrier(TABLETS, timeout=20)
        with ThreadPoolExecutor(TABLETS) as pool:
            told = Counter(pool.map(lambda tablet: receipt_of(tablet, server.port, start), tablets))
        assert arrived(tmp_path / "server" / "survey.db") == told
        assert len(told) == TABLETS


def receipt_of(tablet: FakeTablet, port: int, start: Barrier) -> tuple[str, str]:
    """As a tablet does: without a receipt the same bytes again, after the pause that the server asks for."""
    raw = tablet.envelope()
    path = f"/api/v1/records/{json.loads(raw)['id']}"
    headers = {
        "X-Device": tablet.device,
        "X-Signature": sign_request(tablet.secret, "PUT", path, raw),
        "Content-Digest": content_digest(raw),
    }
    start.wait()
    for _attempt in range(10):
        with contextlib.suppress(OSError, HTTPException), closing(connection_to(port)) as connection:
            connection.request("PUT", path, raw, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status == 200 and tablet.is_receipt_for(raw, json.loads(content)):
                return json.loads(content)["id"], json.loads(content)["sha256"]
            assert answer.status in (429, 503), content
            time.sleep(int(answer.headers["Retry-After"]))
    raise AssertionError("no receipt")


def connection_to(port: int) -> HTTPConnection:
    return HTTPConnection("127.0.0.1", port, timeout=30)


@pytest.mark.fault(35)
def test_a_captured_request_sent_again_a_year_later_changes_nothing_and_fits_no_other_tablet(
    tmp_path: Path,
) -> None:
    with tablet_site(tmp_path) as site:
        tablet, other = FakeTablet.enrolled(site), FakeTablet.enrolled(site)
        raw, later = tablet.envelope(), tablet.envelope()
        first = tablet.put(raw)
        signature = first.request.headers["X-Signature"]
        with time_machine.travel(datetime.now(UTC) + timedelta(days=366)):
            again = tablet.put(raw, X_Signature=signature)
            assert again.get_json() == first.get_json()
            assert tablet.put(raw, X_Signature=signature, X_Device=other.device).status_code == 401
            assert other.put(raw, X_Signature=signature).status_code == 401
            assert tablet.put(later, X_Signature=signature).status_code == 401
        assert [record.envelope for record in site.records()] == [raw]
        assert site.records()[0].flags == []
