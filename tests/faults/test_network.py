"""Faults of the network and of HTTP: whatever it does, what was shown as saved arrives once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from survey_app import access
from tests.browser.tablet_browser import next_person
from tests.faults import network_faults as faults
from tests.faults.certificates import certificate
from tests.faults.proxy import Exchange, Fault
from tests.faults.tablet_on_a_line import Line, a_line

pytestmark = pytest.mark.browser

SIGN_IN = b"<!doctype html><title>Bienvenue</title><p>Connectez-vous au wifi"
PORTALS = {
    "a page": faults.answered("200 OK", SIGN_IN),
    "a redirect": faults.answered("302 Found", Location="http://connexion.test/"),
    "network authentication required": faults.answered("511 Network Authentication Required", SIGN_IN),
}
UPDATE = "navigator.serviceWorker.getRegistration().then((found) => found.update()).catch(() => null)"
NOTHING_ARRIVES = """navigator.serviceWorker.getRegistration()
  .then((found) => !found.installing && !found.waiting)"""
SOMETHING_WAITS = "navigator.serviceWorker.getRegistration().then((found) => !!found.waiting)"
CHANGED_FILES = """async () => {
  const changed = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    const list = await cache.match('/tablette/bundle.json');
    if (!list) continue;
    for (const { url, sha256 } of (await list.json()).files) {
      const bytes = await (await cache.match(url))?.arrayBuffer() ?? new ArrayBuffer(0);
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      const hash = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      if (hash !== sha256) changed.push(url);
    }
  }
  return changed;
}"""
SHORT_PATIENCE = """
const timeout = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (milliseconds) => timeout(milliseconds / 30);
"""
NO_PATIENCE_AT_ALL = "AbortSignal.timeout = () => new AbortController().signal;"


@pytest.mark.fault(21)
def test_a_captive_portal_takes_nothing_and_the_agent_reads_that_the_network_wants_a_sign_in(
    line: Line,
) -> None:
    for portal in PORTALS.values():
        line.proxy.meet(portal, path="")
        record = line.one_person()
        line.says("network_login")
        assert line.record(record["id"])["state"] in ("queued", "sending")
        assert line.arrived().total() == 0
    assert line.waiting() == len(PORTALS)
    line.deliver()


def forged_receipt(record: dict[str, object]) -> Fault:
    """What a server would say that knows everything but the secret of the tablet."""
    body = f'{{"id":"{record["id"]}","revision":{record["revision"]},"sha256":"{record["hash"]}",'
    body += f'"epoch":"e","stored_at":"2026-06-15T08:00:00Z","mac":"{"0" * 64}"}}'
    return faults.answered("200 OK", body.encode(), Content_Type="application/json")


@pytest.mark.parametrize("checks_the_code", [True, False])
def test_a_forged_receipt_takes_nothing_away_unless_its_code_is_not_checked(
    line: Line, checks_the_code: bool
) -> None:
    line.proxy.meet(faults.request_lost)
    if not checks_the_code:
        line.page.add_init_script("SubtleCrypto.prototype.verify = async () => true;")
    record = line.one_person()
    line.wait_until(record["id"], state="queued")
    line.proxy.meet(forged_receipt(record))
    line.try_again()
    if checks_the_code:
        line.says("network_login")
        line.deliver()
    else:
        line.wait_until(record["id"], state="receipted")
        assert line.arrived() != line.shown


@pytest.mark.fault(22)
def test_a_portal_page_in_place_of_any_file_of_an_update_leaves_the_old_generation_whole(line: Line) -> None:
    line.site.close_wave()
    for path in ("/tablette/sw.js", "/tablette/bundle.json", "/static/build/tablet", "/tablette/"):
        line.proxy.meet(PORTALS["a page"], "GET", path=path)
        line.page.evaluate(UPDATE)
        line.page.wait_for_function(NOTHING_ARRIVES)
        assert line.page.evaluate(CHANGED_FILES) == []
    line.page.reload()
    line.one_person("ancienne version")
    line.deliver()
    next_person(line.page)
    line.page.evaluate(UPDATE)
    line.page.locator("#closed-title").wait_for()


def test_without_the_hashes_a_portal_page_would_become_a_file_of_the_application(line: Line) -> None:
    """Control: the worker of this update compares nothing."""
    unchecked = faults.answer_changed(lambda text: replaced(rb"\|\|await \w+\(\w+\)!==\w+", b"", text))
    rules = {"/tablette/sw.js": unchecked, "/static/build/tablet": PORTALS["a page"]}

    def choose(exchange: Exchange) -> Fault | None:
        return next((fault for path, fault in rules.items() if path in exchange.line[1]), None)

    line.site.close_wave()
    line.proxy.choose = choose
    line.page.goto(line.proxy.address)
    line.page.evaluate(UPDATE)
    line.page.wait_for_function(f"({CHANGED_FILES})().then((changed) => changed.length > 0)")


def replaced(pattern: bytes, by: bytes, text: bytes) -> bytes:
    changed, number = re.subn(pattern, by, text)
    assert number == 1, "the built worker no longer looks like this"
    return changed


@pytest.mark.fault(23)
def test_a_foreign_or_expired_certificate_keeps_everything_and_the_agent_reads_what_to_check(
    playwright: Playwright, tmp_path: Path
) -> None:
    good, fingerprint = certificate(tmp_path, "good")
    trusted = f"--ignore-certificate-errors-spki-list={fingerprint}"
    with a_line(playwright, tmp_path, trusted, certificate=good) as line:
        for name, expired in (("foreign", False), ("expired", True)):
            line.proxy.certificate, _ = certificate(tmp_path, name, expired=expired)
            line.proxy.drop_connections()
            record = line.one_person(name)
            with line.page.expect_event("requestfailed") as failed:
                line.try_again()
            assert (failed.value.failure or "").startswith("net::ERR_CERT_")
            line.wait_until(record["id"], state="queued")
            line.says("unreachable")
            assert "certificat" in line.page.locator("[data-notice=unreachable]").inner_text()
        line.proxy.certificate = good
        line.deliver()


@pytest.mark.fault(24)
def test_errors_of_the_server_and_of_gateways_only_make_the_tablet_wait_longer_each_time(line: Line) -> None:
    line.proxy.meet(faults.answered("500 Internal Server Error", b"<h1>Oops"))
    record = line.one_person()
    for attempt, status in enumerate(("500 Internal Server Error", "502 Bad Gateway", "504 Gateway Timeout")):
        if attempt:
            line.proxy.meet(faults.answered(status, b"<h1>Oops"))
            line.try_again()
        marked = line.wait_until(record["id"], state="queued", attempts=attempt + 1)
        pause = marked["notBefore"] - line.page.evaluate("Date.now()")
        longest = 2_000 * 2**attempt
        assert longest / 2 - 1_500 < pause <= longest
    line.deliver()


@pytest.mark.fault(25)
def test_a_record_that_is_too_large_is_set_aside_with_an_alarm_and_the_others_flow(line: Line) -> None:
    line.proxy.meet(faults.answered("413 Content Too Large", b"<h1>413"), "PUT", times=1)
    large = line.one_person("trop grand")
    line.says("quarantined")
    other = line.one_person("les autres")
    line.wait_until(other["id"], state="receipted")
    assert line.record(large["id"])["reason"] == "413"
    next_person(line.page)
    line.page.locator("#agent-corner[data-state=alarm]").wait_for(state="attached")
    line.page.locator("#agent-open").click()
    line.page.locator("#agent-retry").click()
    line.deliver()


@pytest.mark.fault(27)
def test_a_line_that_goes_dead_in_the_middle_is_given_up_and_everything_is_asked_for_again(
    line: Line,
) -> None:
    line.page.add_init_script(SHORT_PATIENCE)
    line.page.reload()
    first = line.one_person("avant")
    line.wait_until(first["id"], state="receipted")
    for fault, arrived in ((faults.request_swallowed, 1), (faults.answer_swallowed, 3)):
        line.proxy.meet(fault)
        record = line.one_person(fault.__name__)
        line.wait_until(record["id"], state="queued", attempts=1)
        line.says("unreachable")
        assert line.arrived().total() == arrived
        assert line.record(first["id"])["state"] == "receipted"
        if fault is faults.request_swallowed:
            line.deliver()
    line.deliver()


def test_without_a_limit_of_time_a_dead_line_would_hold_the_sender(line: Line) -> None:
    """Control: the same line, and a tablet that waits for ever."""
    line.page.add_init_script(NO_PATIENCE_AT_ALL)
    line.proxy.meet(faults.request_swallowed)
    record = line.one_person()
    line.page.wait_for_timeout(2_500)
    assert line.record(record["id"])["state"] == "sending"


@pytest.mark.fault(31)
def test_a_request_that_the_browser_itself_sends_again_is_stored_once(line: Line) -> None:
    line.proxy.meet(faults.dies_when_used_again)
    record = line.one_person()
    sent_once = line.wait_until(record["id"], state="receipted")
    assert sent_once["attempts"] == 1
    assert len(line.proxy.records_seen()) > 1, "the browser did not repeat anything: nothing was tried"
    line.deliver()


@pytest.mark.fault(32)
def test_an_empty_or_truncated_body_is_never_stored_and_the_record_is_sent_again(line: Line) -> None:
    cuts = (faults.body_cut(0), faults.body_cut(0.5), faults.body_breaks_off(0), faults.body_breaks_off(0.5))
    line.proxy.meet(cuts[0])
    record = line.one_person()
    for attempt, cut in enumerate(cuts, start=1):
        if attempt > 1:
            line.proxy.meet(cut)
            line.try_again()
        marked = line.wait_until(record["id"], state="queued", attempts=attempt)
        assert marked["reason"] == "422"
        assert line.arrived().total() == 0
    line.deliver()


@pytest.mark.fault(33)
def test_a_bit_that_flips_on_the_way_is_noticed_on_either_side(line: Line) -> None:
    line.proxy.meet(faults.bit_flipped_in_request)
    record = line.one_person()
    marked = line.wait_until(record["id"], state="queued", attempts=1)
    assert marked["reason"] == "422"
    assert line.arrived().total() == 0
    line.proxy.meet(faults.bit_flipped_in_answer)
    line.try_again()
    line.wait_until(record["id"], state="queued", attempts=2)
    assert line.arrived() == line.shown
    line.deliver()


def test_without_signature_and_hash_a_flipped_bit_would_be_stored(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the same server, believing what it gets."""
    monkeypatch.setattr(access, "check_bytes", lambda *_given: None)
    line.proxy.meet(faults.bit_flipped_in_request)
    record = line.one_person()
    line.wait_until(record["id"], state="queued", attempts=1)
    assert line.arrived() != line.shown
    assert line.arrived().total() == 1


@pytest.mark.fault(26)
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(line: Line) -> None:
    line.proxy.meet(faults.answered("429 Too Many Requests", b"", Retry_After="3"))
    record = line.one_person()
    line.says("busy")
    while not line.proxy.records_seen():  # a heartbeat may have been the first to hear it
        line.page.wait_for_timeout(50)
    line.proxy.be_calm()
    line.wait_until(record["id"], state="receipted")
    first, second = line.proxy.records_seen()
    assert second - first > 2.9
    line.assert_all_arrived()
