"""What a tablet says to the server, and what it gets back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import time_machine

from survey_app import access
from survey_app.assets import BUILD
from survey_app.database import db
from survey_app.device_models import Device
from survey_app.enrolment import redeem
from survey_app.models import InboxConflict
from survey_app.responses.credentials import answer_mac
from survey_app.settings import Settings
from tests.survey_app.tablet_site import QUESTIONNAIRE, FakeTablet, TabletSite, tablet_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TabletSite]:
    with tablet_site(tmp_path) as running:
        yield running


@pytest.fixture
def tablet(site: TabletSite) -> FakeTablet:
    return FakeTablet.enrolled(site)


def test_a_record_is_stored_and_its_receipt_names_it(site: TabletSite, tablet: FakeTablet) -> None:
    raw = tablet.envelope()
    answer = tablet.put(raw)
    assert answer.status_code == 200
    assert tablet.is_receipt_for(raw, answer.get_json())
    (record,) = site.records()
    assert (record.envelope, record.device_id, record.site) == (raw, tablet.device, "accueil_general")
    assert (record.source, record.flags, record.wave_id) == ("tablet", [], "usagers-2026")


def test_the_same_bytes_get_the_same_receipt(site: TabletSite, tablet: FakeTablet) -> None:
    raw = tablet.envelope()
    assert tablet.put(raw).get_json() == tablet.put(raw).get_json()
    assert len(site.records()) == 1


def test_other_bytes_under_the_same_id_are_kept_apart_with_a_receipt(
    site: TabletSite, tablet: FakeTablet
) -> None:
    raw = tablet.envelope()
    other = json.dumps({**json.loads(raw), "seq": 99}).encode()
    tablet.put(raw)
    answer = tablet.put(other)
    assert answer.status_code == 409
    assert answer.get_json()["conflict"] is True
    assert tablet.is_receipt_for(other, answer.get_json())
    assert [record.envelope for record in site.records()] == [raw]
    with site.app.app_context():
        assert db.session.query(InboxConflict).one().envelope == other


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"<html>",
        b"\xff\xfe",
        b'{"id": "00000000-0000-4000-8000-000000000000"}',
        b'{"id": "00000000-0000-4000-8000-000000000000", "v": NaN}',
        b"[" * 5_000,
    ],
)
def test_an_unreadable_envelope_is_refused_and_nothing_is_stored(
    site: TabletSite, tablet: FakeTablet, raw: bytes
) -> None:
    assert tablet.call("PUT", "/api/v1/records/00000000-0000-4000-8000-000000000000", raw).status_code == 400
    assert site.records() == []


def test_a_record_sent_to_the_address_of_another_is_refused(site: TabletSite, tablet: FakeTablet) -> None:
    address = "/api/v1/records/00000000-0000-4000-8000-000000000000"
    assert tablet.call("PUT", address, tablet.envelope()).status_code == 400
    assert site.records() == []


@pytest.mark.parametrize("header", ["sha-256=:AAAA:", "sha-256=AAAA", "md5=:AAAA:", "sha-256=:é:"])
def test_bytes_that_are_not_those_announced_are_refused(
    site: TabletSite, tablet: FakeTablet, header: str
) -> None:
    assert tablet.put(tablet.envelope(), Content_Digest=header).status_code == 422
    assert site.records() == []


def test_a_truncated_body_is_refused_by_its_signature(site: TabletSite, tablet: FakeTablet) -> None:
    raw = tablet.envelope()
    signed = {"X-Device": tablet.device, "X-Signature": "0" * 64}
    path = f"/api/v1/records/{json.loads(raw)['id']}"
    assert tablet.client.put(path, data=raw[:-1], headers=signed).status_code == 401
    assert site.records() == []


def test_odd_contents_are_stored_as_bytes(site: TabletSite, tablet: FakeTablet) -> None:
    raw = tablet.envelope({"nowhere": [1, None, "\ud800"], "constructor": {"deep": [[[[]]]]}})
    assert tablet.put(raw).status_code == 200
    assert site.records()[0].envelope == raw


def test_an_oversized_record_is_refused_from_its_announced_length(
    site: TabletSite, tablet: FakeTablet
) -> None:
    limit = site.app.extensions["survey_settings"].answer_size_limit
    address = "/api/v1/records/00000000-0000-4000-8000-000000000000"
    # The body is never sent: an answer at all shows that nobody waited for it.
    announced = {"CONTENT_LENGTH": str(limit + 1)}
    answer = tablet.client.put(address, headers={"X-Device": tablet.device}, environ_overrides=announced)
    assert answer.status_code == 413
    assert tablet.call("PUT", address, b"x" * (limit + 1)).status_code == 413


def test_nobody_and_a_stranger_are_refused(site: TabletSite, tablet: FakeTablet) -> None:
    raw = tablet.envelope()
    path = f"/api/v1/records/{json.loads(raw)['id']}"
    assert tablet.client.put(path, data=raw).status_code == 401
    assert tablet.put(raw, X_Device="00000000-0000-4000-8000-000000000000").status_code == 401
    assert tablet.put(raw, X_Signature="0" * 64).status_code == 401
    assert tablet.put(raw, X_Signature="é").status_code == 401
    assert site.records() == []


@pytest.mark.abuse("AC-50")
def test_a_route_of_tablets_whose_view_checks_nothing_still_refuses_the_unsigned(site: TabletSite) -> None:
    path = "/api/v1/new"
    site.app.add_url_rule(path, "new", access.device(lambda: "open"), methods=["POST"])
    tablet = FakeTablet.enrolled(site)
    assert tablet.call("POST", path, b"x").text == "open"
    assert tablet.client.post(path, data=b"x").status_code == 401
    assert tablet.client.post(path, data=b"x", headers={"X-Device": tablet.device}).status_code == 401
    assert tablet.call("POST", path, b"x", X_Signature="0" * 64).status_code == 401
    assert tablet.call("POST", path, b"x", X_Device="00000000-0000-4000-8000-000000000000").status_code == 401
    signed = tablet.call("POST", path, b"x").request.headers["X-Signature"]
    assert tablet.call("POST", path, b"y", X_Signature=signed).status_code == 401


def test_the_bytes_of_a_stranger_are_not_read(site: TabletSite, tablet: FakeTablet) -> None:
    unread = BytesIO(b"x" * 100)
    headers = {"X-Device": "00000000-0000-4000-8000-000000000000", "X-Signature": "0" * 64}
    sent = {"input_stream": unread, "content_length": 100, "headers": headers}
    assert tablet.client.post("/api/v1/records", **sent).status_code == 401
    assert unread.tell() == 0


@pytest.mark.parametrize("path", ["/api/v1/devices/heartbeat", "/api/v1/devices/enrol"])
def test_small_calls_take_small_bodies_only(tablet: FakeTablet, path: str) -> None:
    assert tablet.call("POST", path, b"x" * 16_001).status_code == 413


def test_a_signature_is_good_for_one_address_only(site: TabletSite, tablet: FakeTablet) -> None:
    raw = json.dumps({"records": [tablet.envelope().decode()]}).encode()
    heartbeat = tablet.call("POST", "/api/v1/devices/heartbeat", raw).request.headers["X-Signature"]
    assert tablet.call("POST", "/api/v1/records", raw, X_Signature=heartbeat).status_code == 401


def test_a_revoked_tablet_still_delivers_and_is_flagged(site: TabletSite, tablet: FakeTablet) -> None:
    site.revoke(tablet.device)
    assert tablet.put(tablet.envelope()).status_code == 200
    assert site.records()[0].flags == ["revoked_device"]
    assert tablet.call("POST", "/api/v1/devices/heartbeat", b"{}").get_json()["revoked"] is True


def test_a_record_of_a_closed_wave_is_taken(site: TabletSite, tablet: FakeTablet) -> None:
    site.close_wave()
    assert tablet.put(tablet.envelope()).status_code == 200


def test_a_batch_gives_the_fate_of_each_record(site: TabletSite, tablet: FakeTablet) -> None:
    first, last = tablet.envelope(), tablet.envelope()
    raw = json.dumps({"records": [first.decode(), "{", last.decode()]}).encode()
    answer = tablet.call("POST", "/api/v1/records", raw)
    one, poison, two = answer.get_json()["receipts"]
    assert tablet.is_receipt_for(first, one)
    assert tablet.is_receipt_for(last, two)
    assert poison == {"error": "unreadable"}
    assert len(site.records()) == 2


@pytest.mark.parametrize("content", [{}, {"records": "x"}, {"records": [1]}, {"records": ["{}"] * 1_001}, []])
def test_a_batch_of_another_shape_is_refused(site: TabletSite, tablet: FakeTablet, content: object) -> None:
    assert tablet.call("POST", "/api/v1/records", json.dumps(content).encode()).status_code == 400


@pytest.mark.parametrize(("processes", "tries"), [(1, 10), (3, 3), (4, 2)])
def test_each_process_lets_its_share_of_the_tries_for_a_code_through(
    site: TabletSite, monkeypatch: pytest.MonkeyPatch, processes: int, tries: int
) -> None:
    monkeypatch.setattr(Settings, "processes", processes)
    client = site.app.test_client()
    answers = [client.post("/api/v1/devices/enrol", json={"code": "x"}).status_code for _ in range(tries + 1)]
    assert answers == [400] * tries + [429]


def test_a_code_works_once(site: TabletSite) -> None:
    code = site.code()
    client = site.app.test_client()
    typed = f" {code.lower().replace('-', ' ')} "
    first = client.post("/api/v1/devices/enrol", json={"code": typed})
    assert first.status_code == 200
    assert (first.get_json()["site_name"], first.get_json()["slugs"]) == ("Accueil général", ["usagers"])
    assert client.post("/api/v1/devices/enrol", json={"code": code}).status_code == 400


def test_a_code_ends_after_ten_minutes(site: TabletSite) -> None:
    code = site.code()
    with site.app.app_context():
        assert redeem(code, datetime.now(tz=UTC) + timedelta(minutes=10, seconds=1)) is None
        assert redeem(code, datetime.now(tz=UTC) + timedelta(minutes=9)) is not None


@pytest.mark.parametrize("body", [b"", b"{}", b'{"code": 1}', b'{"code": "AAAAA-AAAAA"}', b"[]"])
def test_an_unknown_code_makes_no_device(site: TabletSite, body: bytes) -> None:
    answer = site.app.test_client().post("/api/v1/devices/enrol", data=body)
    assert answer.status_code == 400
    with site.app.app_context():
        assert db.session.query(Device).count() == 0


def test_the_heartbeat_is_remembered(site: TabletSite, tablet: FakeTablet) -> None:
    news = {"waiting": 3, "high_seq": 12, "app_digest": "d" * 64}
    answer = tablet.call("POST", "/api/v1/devices/heartbeat", json.dumps(news).encode())
    assert datetime.fromisoformat(answer.get_json()["now"]).tzinfo is not None
    with site.app.app_context():
        device = db.session.get(Device, tablet.device)
        assert device is not None
        assert (device.waiting, device.high_seq, device.app_digest) == (3, 12, "d" * 64)


def test_the_answer_to_a_heartbeat_names_the_bundle_that_tablets_are_to_hold_now(
    site: TabletSite, tablet: FakeTablet
) -> None:
    def named() -> str:
        answer = tablet.call("POST", "/api/v1/devices/heartbeat", b"{}")
        listing = tablet.client.get("/tablette/bundle.json").get_json()
        assert answer.get_json()["bundle"] == listing["bundle_digest"]
        return str(listing["bundle_digest"])

    before = named()
    site.close_wave()
    assert named() != before


def test_the_answer_to_a_heartbeat_carries_a_code_over_it_and_over_that_call_alone(
    tablet: FakeTablet,
) -> None:
    asked = json.dumps({"beat": 1, "waiting": 0, "high_seq": 0}).encode()
    answer = tablet.call("POST", "/api/v1/devices/heartbeat", asked)
    assert answer.headers["X-Signature"] == answer_mac(tablet.secret, asked, answer.get_data())
    later = asked.replace(b": 1,", b": 2,")
    assert answer_mac(tablet.secret, later, answer.get_data()) != answer.headers["X-Signature"]
    assert answer_mac(bytes(32), asked, answer.get_data()) != answer.headers["X-Signature"]


def test_a_heartbeat_sent_again_later_changes_nothing(site: TabletSite, tablet: FakeTablet) -> None:
    def contact() -> tuple[object, ...]:
        with site.app.app_context():
            device = db.session.get_one(Device, tablet.device)
            return device.waiting, device.high_seq, device.app_digest, device.last_contact_at

    for waiting, high_seq in ((5, 7), (1, 12)):
        news = {"waiting": waiting, "high_seq": high_seq, "app_digest": f"{waiting}" * 64}
        tablet.call("POST", "/api/v1/devices/heartbeat", json.dumps(news).encode())
    latest = contact()
    assert latest[:3] == (1, 12, "1" * 64)
    old = {"waiting": 5, "high_seq": 7, "app_digest": "5" * 64}
    assert tablet.call("POST", "/api/v1/devices/heartbeat", json.dumps(old).encode()).status_code == 200
    assert contact() == latest


@pytest.mark.parametrize("news", [{"waiting": -1}, {"waiting": 2**40}, {"waiting": "3"}, {"app_digest": "x"}])
def test_an_odd_heartbeat_is_a_contact_without_figures(
    site: TabletSite, tablet: FakeTablet, news: dict[str, object]
) -> None:
    assert tablet.call("POST", "/api/v1/devices/heartbeat", json.dumps(news).encode()).status_code == 200
    with site.app.app_context():
        device = db.session.get(Device, tablet.device)
        assert device is not None
        assert (device.waiting, device.app_digest, device.last_contact_at is None) == (None, None, False)


def test_every_file_of_the_bundle_is_served_with_the_hash_that_the_list_gives(site: TabletSite) -> None:
    client = site.app.test_client()
    bundle = client.get("/tablette/bundle.json").get_json()
    addresses = [file["url"] for file in bundle["files"]]
    assert {"/tablette/", "/tablette/q/usagers/fr", "/tablette/q/usagers/ar"} <= set(addresses)
    for file in bundle["files"]:
        with client.get(file["url"]) as answer:
            content = answer.data
        assert hashlib.sha256(content).hexdigest() == file["sha256"], file["url"]


def test_a_page_of_the_bundle_asks_for_nothing_outside_it(site: TabletSite) -> None:
    client = site.app.test_client()
    addresses = {file["url"] for file in client.get("/tablette/bundle.json").get_json()["files"]}
    for page in ("/tablette/", "/tablette/q/usagers/fr"):
        wanted = re.findall(r'(?:src|<link[^>]* href)="([^"#]+)"', client.get(page).text)
        assert {address for address in wanted if not address.startswith("data:")} <= addresses


def test_the_pages_say_nothing_of_who_asks(site: TabletSite) -> None:
    other = {"Accept-Language": "ar", "X-Device": "00000000-0000-4000-8000-000000000000"}
    client = site.app.test_client()
    for page in ("/tablette/", "/tablette/q/usagers/fr", "/tablette/bundle.json", "/tablette/sw.js"):
        answer = client.get(page)
        assert answer.data == client.get(page, headers=other).data
        assert "Set-Cookie" not in answer.headers


def test_the_worker_names_its_bundle_and_a_closed_wave_makes_another(site: TabletSite) -> None:
    client = site.app.test_client()
    digest = client.get("/tablette/bundle.json").get_json()["bundle_digest"]
    worker = client.get("/tablette/sw.js")
    assert worker.text.startswith(f'const BUNDLE_DIGEST="{digest}";\n')
    assert worker.headers["Content-Type"].startswith("text/javascript")
    site.close_wave()
    changed = client.get("/tablette/bundle.json").get_json()
    assert changed["bundle_digest"] != digest
    assert changed["questionnaires"] == []
    assert client.get("/tablette/q/usagers/fr").status_code == 404


def test_the_list_names_the_wave_and_the_digest(site: TabletSite) -> None:
    (listed,) = site.app.test_client().get("/tablette/bundle.json").get_json()["questionnaires"]
    assert (listed["slug"], listed["wave"], listed["partial_policy"]) == ("usagers", "usagers-2026", "keep")
    assert re.fullmatch(r"[0-9a-f]{64}", listed["questionnaire_digest"])


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2031, 1, 1)])
def test_outside_the_days_of_the_wave_a_tablet_is_given_nothing_to_ask(site: TabletSite, day: date) -> None:
    client = site.app.test_client()
    with time_machine.travel(datetime.combine(day, time(12), UTC)):
        assert client.get("/tablette/bundle.json").get_json()["questionnaires"] == []
        assert client.get("/tablette/q/usagers/fr").status_code == 404


def test_the_days_of_the_wave_are_in_the_list_and_on_the_start_page(site: TabletSite) -> None:
    client = site.app.test_client()
    (listed,) = client.get("/tablette/bundle.json").get_json()["questionnaires"]
    assert (listed["opens_on"], listed["closes_on"]) == ("2026-01-01", "2030-12-31")
    assert 'data-opens-on="2026-01-01" data-closes-on="2030-12-31"' in client.get("/tablette/").text


def test_the_arabic_page_is_arabic(site: TabletSite) -> None:
    page = site.app.test_client().get("/tablette/q/usagers/ar").text
    assert '<html lang="ar" dir="rtl">' in page


def test_an_unchanged_page_is_answered_in_short(site: TabletSite) -> None:
    client = site.app.test_client()
    etag = client.get("/tablette/").headers["ETag"]
    assert client.get("/tablette/", headers={"If-None-Match": etag}).status_code == 304


def test_the_scripts_stay_small() -> None:
    import gzip

    manifest = json.loads((BUILD / "manifest.json").read_text())
    assert len(gzip.compress((BUILD / manifest["website.js"]).read_bytes())) <= 15_000
    # Sealing takes 9 kB of it, the kiosk another 6: loaded once, and kept by the tablet.
    assert len(gzip.compress((BUILD / manifest["tablet.js"]).read_bytes())) <= 30_000


def test_the_questionnaire_of_these_tests_is_sound() -> None:
    from form_definitions import check_source

    assert [str(fault) for fault in check_source(QUESTIONNAIRE).faults if fault.severity == "error"] == []
