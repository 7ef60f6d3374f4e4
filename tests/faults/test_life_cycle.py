"""Faults 39 to 50: versions, closed waves, revoked and cloned tablets, restored and read-only servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask import Flask, request, request_started
from playwright.sync_api import Page, expect
from werkzeug.datastructures import Headers

from form_definitions import load_translations
from survey_app import assets, backups, waves
from survey_app.backups import Backup, BackupError
from survey_app.database import db
from survey_app.questionnaires import publish_source
from tests.browser.tablet_browser import (
    PATIENCE,
    begin,
    enrol,
    next_person,
    open_again,
    outbox,
    tablet_browser,
    to_last_screen,
    until,
    wait_for_records,
)
from tests.browser.test_stolen_profile import copied
from tests.browsers import free_port
from tests.faults.field import LANGUAGE_CARD, Field
from tests.faults.ledger import look_into
from tests.survey_app.staff_site import upload
from tests.survey_app.tablet_site import QUESTIONNAIRE

pytestmark = [pytest.mark.browser]

BEFORE: Final = "Comment nos agents vous ont-ils parlé ?"
AFTER: Final = "Nos agents vous ont-ils bien parlé ?"
LOOK_FOR_UPDATE = "navigator.serviceWorker.getRegistration().then((found) => found.update())"
ONE_WAITS = "navigator.serviceWorker.getRegistration().then((found) => !!found.waiting)"
HOLDS = """(digest) => fetch('/tablette/bundle.json')
  .then((answer) => answer.text()).then((text) => text.includes(digest))"""
"""Whether the worker in control keeps this version."""


def publish_another_version(field: Field) -> str:
    """The wave goes on with a changed question; gives the new digest."""
    with field.site.app.app_context():
        source = QUESTIONNAIRE.replace(BEFORE, AFTER)
        version = publish_source(source, load_translations(), actor="test")
        waves.move_to_questionnaire(field.site.wave, version.digest, actor="test")
        return version.digest


@pytest.mark.fault(39)
@pytest.mark.parametrize("state", ["answering", "answering without a network", "waiting"])
def test_an_interview_ends_on_its_version_and_is_stored_against_it(field: Field, state: str) -> None:
    page = field.page
    with field.site.app.app_context():
        (before,) = (wave.questionnaire_digest for wave in waves.waves())
    if state != "answering":
        field.disconnect()
    if state == "waiting":
        field.one_person("commencé avant")
    else:
        begin(page)
        to_last_screen(page, "commencé avant")
    after = publish_another_version(field)
    if state == "answering":
        page.evaluate(LOOK_FOR_UPDATE)
        until(page, ONE_WAITS)
    if state != "waiting":
        assert page.locator("[name=comment]").input_value() == "commencé avant"
        field.end()
        next_person(page)
    if state != "answering":
        field.connect()
    until_the_start_page_is_of(page, field.address, after)
    field.one_person("avec la nouvelle version")
    field.deliver()
    field.assert_all_arrived()
    assert [frame["questionnaire_digest"] for frame in field.envelopes()] == [before, after]
    responses = field.responses()
    assert [(one.questionnaire_digest, one.flags) for one in responses] == [
        (before, ["old_digest"]),
        (after, []),
    ]
    assert [one.answers["comment"] for one in responses] == ["commencé avant", "avec la nouvelle version"]


def until_the_start_page_is_of(page: Page, address: str, digest: str) -> None:
    """The idle start page takes the new version by itself."""
    open_again(page, address)
    until(page, HOLDS, digest)
    # The page that saw the worker change loads itself again, perhaps just now; one opened since does not.
    open_again(page, address)
    page.locator(LANGUAGE_CARD).wait_for()


@pytest.mark.fault(40)
@pytest.mark.parametrize("state", ["waiting", "answering"])
def test_answers_to_a_closed_questionnaire_are_taken_and_flagged_and_it_is_offered_no_more(
    field: Field, state: str
) -> None:
    field.disconnect()
    if state == "waiting":
        field.one_person("avant la clôture")
        field.site.close_wave()
    else:
        begin(field.page)
        to_last_screen(field.page, "avant la clôture")
        field.site.close_wave()
        field.end()
    field.connect()
    field.page.goto(field.address)
    expect(field.page.locator("#closed-title")).to_be_visible(timeout=PATIENCE)
    field.deliver()
    field.assert_all_arrived()
    (response,) = field.responses()
    assert (response.flags, response.answers["comment"]) == (["late"], "avant la clôture")


@pytest.mark.fault(43)
def test_expired_sessions_and_changed_keys_of_the_website_do_not_stop_the_tablet(field: Field) -> None:
    cookies = [{"name": name, "value": "expired", "url": field.address} for name in ("session", "csrf_token")]
    field.page.context.add_cookies(cookies)  # type: ignore[arg-type]
    field.disconnect()
    field.one_person("clés changées")
    field.site.app.secret_key = "another key, of which no session and no form knows"
    sent: list[tuple[str, Headers]] = []

    def note(_app: Flask) -> None:
        sent.append((request.path, Headers(request.headers.to_wsgi_list())))

    with request_started.connected_to(note, field.site.app):
        field.connect()
        field.start_page()
        field.deliver()
    field.assert_all_arrived()
    to_the_api = [headers for path, headers in sent if path.startswith("/api/")]
    assert to_the_api
    assert not any("Cookie" in headers for headers in to_the_api)
    assert all("X-Signature" in headers for headers in to_the_api)


AT_ONCE = b"\nself.addEventListener('install', () => self.skipWaiting());"


@pytest.mark.fault(44)
def test_a_new_worker_waits_for_the_end_of_the_interview(field: Field) -> None:
    page, after = field.page, publish_in_mid_interview(field)
    until(page, ONE_WAITS)
    assert not page.evaluate(HOLDS, after)
    assert page.locator("[name=comment]").input_value() == "en cours"
    field.end()
    next_person(page)
    until_the_start_page_is_of(page, field.address, after)
    field.deliver()
    field.assert_all_arrived()


def publish_in_mid_interview(field: Field) -> str:
    begin(field.page)
    to_last_screen(field.page, "en cours")
    after = publish_another_version(field)
    field.page.evaluate(LOOK_FOR_UPDATE)
    return after


def test_a_worker_that_does_not_wait_exchanges_the_files_under_somebody_s_hands(field: Field) -> None:
    """The control."""
    client = field.site.app.test_client()
    field.network.instead = lambda _method, path: (
        ("200 OK", "text/javascript", client.get(path).data + AT_ONCE) if path == "/tablette/sw.js" else None
    )
    until(field.page, HOLDS, publish_in_mid_interview(field))


def another_build(folder: Path) -> Path:
    """The same files under other names, as after the next build."""
    folder.mkdir()
    names = json.loads((assets.BUILD / "manifest.json").read_text("utf-8"))
    renamed = {plain_name: f"next-{hashed}" for plain_name, hashed in names.items()}
    for plain_name, hashed in names.items():
        (folder / renamed[plain_name]).write_bytes((assets.BUILD / hashed).read_bytes())
    (folder / "manifest.json").write_text(json.dumps(renamed), "utf-8")
    return folder


DROPPED: Final = ("404 Not Found", "text/plain", b"")


def serve_only_the_current_build(method: str, path: str) -> tuple[str, str, bytes] | None:
    """A server that dropped the files of every other build."""
    if not path.startswith("/static/build/"):
        return None
    file = assets.BUILD / path.removeprefix("/static/build/")
    media_type = {".js": "text/javascript", ".css": "text/css"}.get(file.suffix, "text/plain")
    return ("200 OK", media_type, file.read_bytes()) if file.is_file() else DROPPED


def without_a_newer_worker(method: str, path: str) -> tuple[str, str, bytes] | None:
    """The same, and the tablet does not hear of the next build yet."""
    return DROPPED if path == "/tablette/sw.js" else serve_only_the_current_build(method, path)


@pytest.mark.fault(45)
def test_a_server_that_drops_the_files_of_a_build_breaks_no_interview_and_may_go_back_to_it(
    field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, first = field.page, assets.BUILD
    field.network.instead = without_a_newer_worker
    begin(page)
    page.locator("label.option:visible").first.click()
    monkeypatch.setattr(assets, "BUILD", another_build(tmp_path / "build"))
    assert page.evaluate("() => fetch('/static/build/next-' + 'x').then((found) => found.status)") == 404
    page.locator("#next").click()
    page.locator("[name=minutes]").fill("12")
    page.locator("#next").click()
    field.end()
    next_person(page)
    field.one_person("page ancienne, serveur nouveau")
    field.network.instead = serve_only_the_current_build
    until_the_start_page_is_of(page, field.address, "next-")
    until(page, "() => [...document.scripts].some((script) => script.src.includes('next-'))")
    assert len(page.evaluate("caches.keys()")) == 2, "the generation before stays"
    field.one_person("page nouvelle")
    monkeypatch.setattr(assets, "BUILD", first)
    open_again(page, field.address)
    until(page, "() => [...document.scripts].every((script) => !script.src.includes('next-'))")
    field.one_person("retour à la version d’avant")
    field.deliver()
    field.assert_all_arrived()


FORGET_WHAT_HAS_A_RECEIPT = """
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (value, ...key) {
  if (value?.state === 'receipted') return this.delete([value.id, value.revision]);
  return put.call(this, value, ...key);
};"""


def back_up(field: Field, folder: Path) -> Backup:
    with field.site.app.app_context():
        return backups.backup(folder, by="test")


def restore(field: Field, copy: Backup) -> None:
    """As the command does it, with the server stopped."""
    field.disconnect()
    with field.site.app.app_context():
        url = db.engine.url.render_as_string(hide_password=False)
        db.session.remove()
    for _attempt in range(50):
        with field.site.app.app_context():
            db.engine.dispose()
        try:
            backups.restore(copy.path, url, by="test")
            break
        except BackupError:  # a thread of the server in this process ends its last request
            field.page.wait_for_timeout(100)
    else:
        raise AssertionError("the server does not let go of its database")
    field.connect()


@pytest.mark.fault(46)
def test_a_server_restored_from_an_older_backup_is_filled_again_by_the_tablet(
    field: Field, tmp_path: Path
) -> None:
    lose_what_came_after_the_backup(field, tmp_path / "backups")
    field.say_hello()
    wait_for_records(field.page, lambda found: [one["state"] for one in found] == ["receipted"] * 3)
    field.assert_all_arrived()
    comments = [one.answers["comment"] for one in field.responses()]
    assert comments == ["avant la sauvegarde", "après la sauvegarde", "juste avant la panne"]


def lose_what_came_after_the_backup(field: Field, folder: Path) -> None:
    field.one_person("avant la sauvegarde")
    field.deliver()
    copy = back_up(field, folder)
    for comment in ("après la sauvegarde", "juste avant la panne"):
        field.one_person(comment)
        field.deliver()
    field.assert_all_arrived()
    restore(field, copy)
    assert len(field.site.records()) == 1


def test_a_tablet_that_forgets_what_has_its_receipt_cannot_fill_a_restored_server(
    field: Field, tmp_path: Path
) -> None:
    """The control: the receipt alone, as elsewhere."""
    field.page.context.add_init_script(FORGET_WHAT_HAS_A_RECEIPT)
    field.start_page()
    lose_what_came_after_the_backup(field, tmp_path / "backups")
    field.say_hello()
    field.page.wait_for_timeout(1_000)
    lost = look_into(field.database, [f"record {line}" for line in field.saved]).lost
    assert lost == set(field.saved[1:])


@pytest.mark.fault(47)
def test_answers_under_an_old_address_reach_the_new_one_by_a_file_and_count_once(field: Field) -> None:
    page = field.page
    field.disconnect()
    field.one_person("sous l’ancienne adresse")
    field.one_person("la même, ensuite")
    with field.network.up(free_port()) as new_address:
        field.start_page()
        page.locator("#agent-open").click()
        with page.expect_download() as download:
            page.locator("#agent-export").click()
        told = upload(
            field.staff.client("technician"),
            "/gestion/fichier-de-secours",
            "file",
            download.value.path().read_bytes(),
        )
        assert "Reçu par ce fichier\u00a0: 2" in told.text
        field.assert_all_arrived()
        enrol(page, new_address, field.site)
        field.one_person("sous la nouvelle adresse")
        field.deliver()
        field.assert_all_arrived()
    field.connect()
    field.start_page()
    field.deliver()
    field.assert_all_arrived()
    assert [one.flags for one in field.responses()].count(["imported"]) == 2


@contextmanager
def read_only(app: Flask) -> Iterator[None]:
    """Nobody may write to the database: maintenance, or a disk that the system mounted so."""

    def forbid(connection: Any, *_rest: object) -> None:
        connection.execute("PRAGMA query_only = ON")

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "checkout", forbid)
    yield
    sa.event.remove(engine, "checkout", forbid)
    engine.dispose()


@pytest.mark.fault(48)
def test_a_server_under_maintenance_gets_everything_when_it_can_write_again(field: Field) -> None:
    with read_only(field.site.app):
        field.one_person("pendant la maintenance")
        expect(field.page.locator("[data-notice=busy]")).to_be_visible(timeout=PATIENCE)
        expect(field.page.locator("#agent-waiting")).to_have_text("1 en attente")
        assert [record["state"] for record in outbox(field.page)] == ["queued"]
        assert field.site.records() == []
    field.deliver()
    field.assert_all_arrived()


@pytest.mark.fault(49)
def test_a_cloned_tablet_is_found_out_and_the_answers_of_both_are_kept(field: Field, tmp_path: Path) -> None:
    field.one_person("avant la copie")
    field.deliver()
    with tablet_browser(field.playwright, copied(field.profile, tmp_path / "twin")) as twin:
        field.start_page(twin)
        field.one_person("sur la copie", twin)
        field.one_person("sur l’original")
        field.deliver(twin)
        field.deliver()
    field.assert_all_arrived()
    assert [frame["seq"] for frame in field.envelopes()] == [1, 2, 2]
    page = field.look("Deux tablettes se servent de la même inscription (numéro 2)")
    assert "✖ à traiter" in page
    assert "tout est gardé" in page
    assert [one.flags for one in field.responses()] == [[], [], []]
