"""The tablet in Chromium: without a network, with a hostile one, and with the next person waiting."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Playwright, expect

from survey_app import server_facts
from survey_app.database import db, write_transaction
from survey_app.device_models import Device, EnrolmentCode
from survey_app.rescue import STORED, import_file
from tests.browser.enrolled_tablet import EnrolledTablet, enrolled
from tests.browser.tablet_browser import (
    TRY_NOW,
    Network,
    begin,
    finish,
    interview,
    next_person,
    outbox,
    stop_the_clock,
    stored,
    tablet_browser,
    to_last_screen,
    until,
    wait_for_draft,
    wait_for_empty_outbox,
)
from tests.browsers import free_port
from tests.survey_app.tablet_site import TabletSite, tablet_site

pytestmark = pytest.mark.browser

PORTAL = ("200 OK", "text/html", b"<!doctype html><title>Bienvenue</title><p>Connectez-vous au wifi")
FORGOTTEN = ("401 Unauthorized", "application/json", b"{}")


@pytest.mark.fault(20)
@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_a_cold_start_without_server_saves_an_answer_that_arrives_once(
    network: Network, playwright: Playwright, tmp_path: Path, name: str
) -> None:
    made = EnrolledTablet(playwright=playwright, network=network, profile=tmp_path / "profile", browser=name)
    with enrolled(made) as tablet:
        tablet.switch_off()
        tablet.disconnect()
        page = tablet.switch_on()
        interview(page, "Très bon accueil")
        (record,) = outbox(page)
        assert record["state"] != "quarantined"
        expect(page.locator("#agent-today")).to_have_text("1 avis aujourd’hui")
        expect(page.locator("#agent-waiting")).to_have_text("1 en attente")
        tablet.connect()
        wait_for_empty_outbox(page)
        next_person(page)
        expect(page.locator("#agent-waiting")).to_have_text("0 en attente")
    assert [(row.id, row.content_hash) for row in network.site.records()] == [(record["id"], record["hash"])]
    (answers,) = network.site.answers()
    assert answers == {"courtesy": ["very_satisfied"], "minutes": 12, "comment": "Très bon accueil"}


def test_the_next_person_finds_nothing_of_the_one_before(tablet: Page) -> None:
    interview(tablet, "Madame Martin, guichet 3")
    thanks = tablet.url
    next_person(tablet)
    tablet.go_back()
    assert_nothing_left(tablet)
    tablet.goto(thanks)
    tablet.locator("#begin").wait_for()
    assert_nothing_left(tablet)
    tablet.reload()
    tablet.locator("a.language-card[data-language=fr]").wait_for()
    assert_nothing_left(tablet)


def test_a_reload_of_the_thanks_lets_the_next_person_choose_a_language(tablet: Page) -> None:
    interview(tablet, "Madame Martin", language="en")
    tablet.reload()
    tablet.locator("a.language-card[data-language=fr]").wait_for()
    assert_nothing_left(tablet)


def assert_nothing_left(page: Page) -> None:
    assert "Martin" not in page.content()
    filled = page.evaluate(
        """() => [...document.querySelectorAll('input, textarea')]
          .filter((field) => field.type !== 'hidden')
          .filter((field) => /radio|checkbox/.test(field.type) ? field.checked : field.value !== '')
          .map((field) => field.name)"""
    )
    assert filled == []


def test_a_reload_in_the_middle_starts_afresh(tablet: Page) -> None:
    begin(tablet)
    to_last_screen(tablet, "Madame Martin")
    tablet.reload()
    tablet.locator("a.language-card[data-language=fr]").wait_for()
    assert_nothing_left(tablet)
    assert {record["kind"] for record in stored(tablet)} <= {"partial"}


def test_a_page_brought_back_from_memory_goes_to_the_start(tablet: Page) -> None:
    begin(tablet)
    to_last_screen(tablet, "Madame Martin")
    tablet.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    tablet.locator("a.language-card[data-language=fr]").wait_for()
    assert_nothing_left(tablet)


def test_twenty_taps_on_finish_save_one_answer(tablet: Page, server: TabletSite) -> None:
    begin(tablet)
    to_last_screen(tablet)
    tablet.evaluate(
        "() => { for (let tap = 0; tap < 20; tap += 1) document.getElementById('next').click(); }"
    )
    expect(tablet.locator("#thanks-title")).to_be_visible()
    wait_for_empty_outbox(tablet)
    assert len(server.records()) == 1
    expect(tablet.locator("#agent-today")).to_have_text("1 avis aujourd’hui")


def test_thanks_are_shown_only_after_the_record_is_on_disk(tablet: Page) -> None:
    # The transaction is held open until the test lets it go: as long as it is, nobody may be thanked.
    tablet.add_init_script(
        """const open = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function (names, mode, options) {
          const transaction = open.call(this, names, mode, options);
          const writesRecords = mode === 'readwrite' && [...transaction.objectStoreNames].includes('records');
          if (writesRecords && !window.letGo) {
            const store = transaction.objectStore('records');
            const spin = () => { if (!window.letGo) store.count().onsuccess = spin; };
            window.held = true;
            spin();
          }
          return transaction;
        };"""
    )
    begin(tablet)
    to_last_screen(tablet)
    tablet.locator("#next").click()
    tablet.wait_for_function("window.held")
    tablet.wait_for_timeout(300)
    assert tablet.locator("body").get_attribute("data-screen") == "saving"
    tablet.evaluate("() => { window.letGo = true; }")
    expect(tablet.locator("#thanks-title")).to_be_visible()


FULL_DISK = """
const add = IDBObjectStore.prototype.add;
window.full = true;
IDBObjectStore.prototype.add = function (...given) {
  const request = add.apply(this, given);
  if (window.full) request.addEventListener('success', () => this.transaction.abort());
  return request;
};"""


def test_a_failed_write_keeps_the_answers_and_offers_to_try_again(tablet: Page, server: TabletSite) -> None:
    tablet.add_init_script(FULL_DISK)
    begin(tablet)
    to_last_screen(tablet, "ne se perd pas")
    tablet.locator("#next").click()
    expect(tablet.locator("#failed-title")).to_be_visible()
    tablet.evaluate("() => { window.full = false; }")
    tablet.locator("#retry").click()
    expect(tablet.locator("#thanks-title")).to_be_visible()
    wait_for_empty_outbox(tablet)
    assert [answers["comment"] for answers in server.answers()] == ["ne se perd pas"]


NOTHING_CAN_BE_WRITTEN = """
for (const name of ['add', 'put']) {
  const write = IDBObjectStore.prototype[name];
  IDBObjectStore.prototype[name] = function (...given) {
    const request = write.apply(this, given);
    if (window.full && this.name === 'records') this.transaction.abort();
    return request;
  };
}"""


def test_somebody_who_cancels_when_nothing_can_be_written_is_told_so_and_nothing_of_it_is_sent(
    tablet: Page, server: TabletSite
) -> None:
    tablet.add_init_script(NOTHING_CAN_BE_WRITTEN)
    begin(tablet)
    tablet.locator("label.option:visible").first.click()
    wait_for_draft(tablet)
    tablet.evaluate("() => { window.full = true; }")
    tablet.locator("#back").click()
    tablet.locator("[data-screen-name=welcome] [data-action=restart]").click()
    expect(tablet.locator("#unerased-title")).to_be_visible(timeout=20_000)
    assert tablet.locator("input:checked").count() == 0
    tablet.evaluate("() => { window.full = false; }")
    tablet.locator("#erase").click()
    tablet.locator("a.language-card[data-language=fr]").wait_for()
    wait_for_empty_outbox(tablet)
    assert [(body.withdrawn, body.answers) for body in server.bodies()] == [(True, {})]


def walk_away_before_a_full_disk(tablet: Page) -> None:
    stop_the_clock(tablet)
    tablet.add_init_script(FULL_DISK)
    begin(tablet)
    tablet.locator("label.option:visible").first.click()
    tablet.locator("#next").click()
    tablet.clock.run_for(121_000)
    tablet.clock.run_for(31_000)
    expect(tablet.locator("#failed-title")).to_be_visible()


def test_a_partial_answer_saved_at_the_second_try_stays_partial(tablet: Page, server: TabletSite) -> None:
    walk_away_before_a_full_disk(tablet)
    tablet.evaluate("() => { window.full = false; }")
    tablet.locator("#retry").click()
    tablet.locator("a.language-card[data-language=fr]").wait_for()
    tablet.clock.run_for(2_000)
    wait_for_empty_outbox(tablet)
    assert [body.complete for body in server.bodies()] == [False]


def test_a_failed_write_with_nobody_there_gives_the_tablet_back_to_the_next_person(tablet: Page) -> None:
    walk_away_before_a_full_disk(tablet)
    tablet.clock.run_for(121_000)
    tablet.locator("a.language-card[data-language=fr]").wait_for()


def test_a_tablet_without_server_stops_asking_after_the_last_day(
    enrolled_tablet: EnrolledTablet,
) -> None:
    page, address = enrolled_tablet.page, enrolled_tablet.address
    enrolled_tablet.disconnect()
    page.clock.set_fixed_time("2030-12-31T22:59:00Z")
    page.goto(address)
    page.locator("a.language-card[data-language=fr]").wait_for()
    page.clock.set_fixed_time("2030-12-31T23:01:00Z")
    page.goto(address)
    expect(page.locator("#closed-title")).to_be_visible()
    page.goto(f"{address}q/usagers/fr")
    expect(page.locator("#closed-title")).to_be_visible()


def enrol_anew_beside_a_record_of_before(tablet: Page, network: Network) -> None:
    """The server knows nothing any more of the identity under which a record waits."""
    network.instead = lambda method, _path: PORTAL if method == "PUT" else None
    interview(tablet)
    (record,) = outbox(tablet)
    next_person(tablet)
    with network.site.app.app_context(), write_transaction() as transaction:
        transaction.execute(sa.update(EnrolmentCode).values(device_id=None))
        transaction.execute(sa.delete(Device).where(Device.id == record["device"]))
    tablet.locator("#agent-open").click()
    tablet.locator("#agent-enrol").click()
    tablet.fill("#enrolment-code", network.site.code())
    tablet.get_by_role("button", name="Inscrire", exact=True).click()
    tablet.locator("a.language-card[data-language=fr]").wait_for()


def test_answers_of_a_forgotten_identity_are_taken_all_the_same(tablet: Page, network: Network) -> None:
    enrol_anew_beside_a_record_of_before(tablet, network)
    network.instead = lambda _method, _path: None
    tablet.evaluate(TRY_NOW)
    wait_for_empty_outbox(tablet)
    assert len(network.site.records()) == 1
    expect(tablet.locator("#agent-former")).to_be_hidden()


def test_answers_that_are_refused_to_an_identity_of_before_are_named_to_the_agent(
    tablet: Page, network: Network
) -> None:
    enrol_anew_beside_a_record_of_before(tablet, network)
    network.instead = lambda method, _path: FORGOTTEN if method == "PUT" else None
    tablet.evaluate(TRY_NOW)
    expect(tablet.locator("#agent-former")).to_have_text("1 avis en attente d’une ancienne inscription")
    expect(tablet.locator("#agent-former")).to_be_visible()


def test_a_captive_portal_takes_nothing_away(tablet: Page, network: Network) -> None:
    network.instead = lambda _method, _path: PORTAL
    interview(tablet)
    expect(tablet.locator("[data-notice=network_login]")).to_be_visible()
    assert len(outbox(tablet)) == 1
    assert network.site.records() == []
    network.instead = lambda _method, _path: None
    wait_for_empty_outbox(tablet)
    assert len(network.site.records()) == 1


@pytest.mark.parametrize("status", ["413 Content Too Large", "400 Bad Request"])
def test_a_refused_record_is_kept_shown_and_can_be_sent_again(
    tablet: Page, network: Network, status: str
) -> None:
    def refuse(method: str, _path: str) -> tuple[str, str, bytes] | None:
        return (status, "application/json", b"{}") if method == "PUT" else None

    network.instead = refuse
    interview(tablet)
    expect(tablet.locator("[data-notice=quarantined]")).to_be_visible()
    assert [(record["state"], record["reason"]) for record in outbox(tablet)] == [("quarantined", status[:3])]
    network.instead = lambda _method, _path: None
    next_person(tablet)
    interview(tablet)
    expect(tablet.locator("#agent-waiting")).to_have_text("1 en attente")
    next_person(tablet)
    tablet.locator("#agent-open").click()
    tablet.locator("#agent-retry").click()
    expect(tablet.locator("#agent-waiting")).to_have_text("0 en attente")
    assert len(network.site.records()) == 2


def test_what_waits_can_be_copied_into_a_file_that_the_server_takes(tablet: Page, network: Network) -> None:
    network.instead = lambda method, _path: PORTAL if method == "PUT" else None
    interview(tablet)
    (record,) = outbox(tablet)
    next_person(tablet)
    tablet.locator("#agent-open").click()
    with tablet.expect_download() as download:
        tablet.locator("#agent-export").click()
    copied_out = download.value.path().read_bytes()
    assert json.loads(copied_out)["records"] == [record["envelope"]]
    with network.site.app.app_context():
        (fate,) = import_file(copied_out, by="test")
    assert (fate.fate, fate.device) == (STORED, "T-07")
    assert [row.flags for row in network.site.records()] == [["imported"]], "its signature vouches for it"


def test_a_new_bundle_waits_for_the_end_of_the_interview(tablet: Page, server: TabletSite) -> None:
    begin(tablet)
    to_last_screen(tablet, "commencé avant")
    server.close_wave()
    tablet.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update())")
    tablet.wait_for_function("navigator.serviceWorker.getRegistration().then((found) => !!found.waiting)")
    assert tablet.locator("[name=comment]").input_value() == "commencé avant"
    finish(tablet)
    tablet.locator("[data-screen-name=thanks] [data-action=restart]").click()
    expect(tablet.locator("#closed-title")).to_be_visible(timeout=20_000)
    wait_for_empty_outbox(tablet)
    assert [answers["comment"] for answers in server.answers()] == ["commencé avant"]


def test_a_portal_during_an_update_leaves_the_old_pages_in_place(tablet: Page, network: Network) -> None:
    network.site.close_wave()
    network.instead = lambda _method, path: (
        PORTAL if path.startswith("/static/") or path == "/tablette/" else None
    )
    tablet.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update())")
    tablet.wait_for_function(
        """navigator.serviceWorker.getRegistration().then((found) => !found.installing && !found.waiting)"""
    )
    tablet.reload()
    interview(tablet, "ancienne version")
    assert tablet.title() != "Bienvenue"


def test_somebody_who_walks_away_leaves_a_partial_answer_and_a_clean_screen(
    tablet: Page, server: TabletSite
) -> None:
    stop_the_clock(tablet)
    begin(tablet)
    tablet.locator("label.option:visible").first.click()
    tablet.locator("#next").click()
    tablet.clock.run_for(121_000)
    expect(tablet.locator("#idle-title")).to_be_visible()
    tablet.locator("#stay").click()
    expect(tablet.locator("[name=minutes]")).to_be_visible()
    tablet.clock.run_for(121_000)
    tablet.clock.run_for(31_000)
    tablet.locator("a.language-card[data-language=fr]").wait_for()
    tablet.clock.run_for(2_000)
    wait_for_empty_outbox(tablet)
    assert server.answers() == [{"courtesy": ["very_satisfied"]}]


def test_a_practice_answer_says_so_and_the_next_one_counts(tablet: Page, server: TabletSite) -> None:
    tablet.locator("#agent-open").click()
    tablet.locator("#agent-practice").check()
    tablet.locator("#agent-close").click()
    expect(tablet.locator(".practice")).to_be_visible()
    begin(tablet)
    expect(tablet.locator(".practice")).to_be_visible()
    to_last_screen(tablet)
    finish(tablet)
    expect(tablet.locator("#thanks-title")).to_have_text("Essai terminé\u00a0: cet avis ne compte pas")
    next_person(tablet)
    expect(tablet.locator(".practice")).to_be_hidden()
    interview(tablet)
    wait_for_empty_outbox(tablet)
    assert [body.practice for body in server.bodies()] == [True, False]


@pytest.mark.fault(42)
def test_a_revoked_tablet_asks_nobody_until_it_is_enrolled_again(
    tablet: Page, network: Network, server: TabletSite
) -> None:
    network.instead = lambda method, _path: PORTAL if method == "PUT" else None
    interview(tablet, "avant le retrait")
    interview_page = tablet.url
    (record,) = outbox(tablet)
    server.revoke(record["device"])
    tablet.locator("[data-screen-name=thanks] [data-action=restart]").click()
    expect(tablet.locator("#closed-title")).to_be_visible(timeout=20_000)
    tablet.goto(interview_page)
    expect(tablet.locator("#closed-title")).to_be_visible(timeout=20_000)
    assert [one["envelope"] for one in stored(tablet)] == [record["envelope"]], (
        "emptied before it had delivered"
    )
    network.instead = lambda _method, _path: None
    wait_for_empty_outbox(tablet)
    tablet.locator("#agent-open").click()
    expect(tablet.locator("#agent-revoked")).to_contain_text("Il y reste 1 avis")
    assert len(stored(tablet)) == 1, "emptied before a backup held what it had delivered"
    with server.app.app_context(), write_transaction() as transaction:
        soon = datetime.now(UTC) + timedelta(minutes=10)
        server_facts.write(transaction, server_facts.BACKUP_WATERMARK, soon.isoformat())
    tablet.locator("#agent-leave").click()
    expect(tablet.locator("#paused-title")).to_be_visible()  # whatever is on the screen but an interview
    tablet.evaluate(SAY_HELLO_AGAIN)
    tablet.evaluate(TRY_NOW)
    expect(tablet.locator("#revoked-title")).to_be_visible(timeout=20_000)
    assert [(row.content_hash, row.flags) for row in server.records()] == [
        (record["hash"], ["revoked_device"])
    ]
    until(tablet, "async () => (await navigator.serviceWorker.getRegistrations()).length === 0")
    assert tablet.evaluate(WHAT_IS_LEFT) == {"records": 0, "facts": ["wiped"], "caches": []}
    with server.app.app_context():
        assert db.session.get_one(Device, record["device"]).emptied_at is not None, "it said so"
    tablet.reload()
    expect(tablet.locator("#revoked-title")).to_be_visible(timeout=20_000)
    tablet.locator("#agent-open").click()
    tablet.locator("#agent-enrol").click()
    tablet.fill("#enrolment-code", server.code())
    tablet.get_by_role("button", name="Inscrire", exact=True).click()
    until(tablet, "navigator.serviceWorker.controller !== null")  # its files are here again
    tablet.locator("a.language-card[data-language=fr]").wait_for()


SAY_HELLO_AGAIN = """() => new Promise((resolve) => {
  const opening = indexedDB.open('tablet');
  opening.onsuccess = () => {
    const writing = opening.result.transaction('facts', 'readwrite');
    writing.objectStore('facts').put(0, 'hello');
    writing.oncomplete = () => { opening.result.close(); resolve(); };
  };
})"""

WHAT_IS_LEFT = """async () => {
  const opening = indexedDB.open('tablet');
  await new Promise((resolve) => { opening.onsuccess = resolve; });
  const reading = opening.result.transaction(['records', 'facts']);
  const records = reading.objectStore('records').count();
  const facts = reading.objectStore('facts').getAllKeys();
  await new Promise((resolve) => { reading.oncomplete = resolve; });
  opening.result.close();
  return { records: records.result, facts: facts.result, caches: await caches.keys() };
}"""


def test_a_required_question_holds_and_says_what_to_do(tablet: Page) -> None:
    begin(tablet)
    tablet.locator("#next").click()
    expect(tablet.locator("#error-courtesy")).to_have_text(
        "Répondez à cette question\u00a0: elle est obligatoire."
    )
    tablet.locator("label.option:visible").last.click()
    expect(tablet.locator("#error-courtesy")).to_be_hidden()


def test_conditions_exclusive_options_and_back_work_on_the_tablet(tablet: Page, server: TabletSite) -> None:
    begin(tablet)
    tablet.locator("input[value=very_dissatisfied]").check(force=True)
    tablet.locator("#next").click()
    expect(tablet.locator("#progress-text")).to_have_text("Question 2 sur 4")
    tablet.get_by_label("Les mots").check()
    tablet.get_by_label("Autre chose").check()
    tablet.locator("[name='unclear.other']").fill("le formulaire")
    tablet.get_by_label("Tout, je n’ai rien compris").check()
    expect(tablet.get_by_label("Les mots")).not_to_be_checked()
    tablet.get_by_label("Autre chose").check()
    expect(tablet.get_by_label("Tout, je n’ai rien compris")).not_to_be_checked()
    tablet.locator("#back").click()
    expect(tablet.locator("input[value=very_dissatisfied]")).to_be_checked()
    tablet.locator("#next").click()
    expect(tablet.locator("[name='unclear.other']")).to_have_value("le formulaire")
    tablet.locator("#next").click()
    tablet.locator("#skip").click()
    finish(tablet)
    wait_for_empty_outbox(tablet)
    expected = {"courtesy": ["very_dissatisfied"], "unclear": ["other"], "unclear.other": "le formulaire"}
    assert server.answers() == [expected]


@pytest.mark.fault(50)
def test_an_insecure_address_is_refused_with_an_explanation(playwright: Playwright, tmp_path: Path) -> None:
    from tests.browsers import CHROMIUM, CHROMIUM_ARGUMENTS

    hosts = ("tablette.test", "127.0.0.1")
    arguments = [*CHROMIUM_ARGUMENTS, "--host-resolver-rules=MAP tablette.test 127.0.0.1"]
    port = free_port()
    with tablet_site(tmp_path, trusted_hosts=hosts) as site, Network(site).up(port):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        page.goto(f"http://tablette.test:{port}/tablette/")
        expect(page.locator("#refused-title")).to_be_visible()
        expect(page.locator("[data-reason=insecure]")).to_contain_text("https")
        expect(page.locator("#enrolment-code")).to_be_hidden()
        browser.close()


def test_a_wrong_code_says_what_to_do(network: Network, playwright: Playwright, tmp_path: Path) -> None:
    with network.up(free_port()) as address, tablet_browser(playwright, tmp_path / "profile") as page:
        page.goto(address)
        code = page.locator("#enrolment-code")
        for empty in ("", " - "):
            code.fill(empty)
            page.get_by_role("button", name="Inscrire").click()
            expect(page.locator("[data-enrolment=no_code]")).to_be_visible()
            expect(code).to_be_focused()
            expect(code).to_have_attribute("aria-invalid", "true")
        code.fill("AAAAA-AAAAA")
        page.get_by_role("button", name="Inscrire").click()
        expect(page.locator("[data-enrolment=wrong_code]")).to_be_visible()
        expect(page.locator("[data-enrolment=no_code]")).to_be_hidden()
        given = network.site.code()
        page.goto(f"{address}#{given}")
        expect(code).to_have_value(given)
        assert given not in page.url
