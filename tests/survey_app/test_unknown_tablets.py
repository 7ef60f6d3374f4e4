"""A tablet that the server lost with a restore: stored, receipted, named by the referent, then judged."""

from __future__ import annotations

import io
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from survey_app import audit, waves
from survey_app.database import db
from survey_app.device_models import Device
from survey_app.models import InboxRecord, Response
from survey_app.responses import unjudged
from survey_app.responses.credentials import content_digest, device_secret, receipt_mac, sign_request
from survey_app.responses.envelope import content_hash
from survey_app.responses.intake import judge_waiting
from tests.page_checks import assert_good_pages
from tests.survey_app.staff_site import WAVE, StaffSite, form_token, post, seed_wave
from tests.survey_app.tablet_chains import SITE, a_device, chained

TABLETS = "/gestion/tablettes"
RESCUE = "/gestion/fichier-de-secours"
LATER = timedelta(days=1)


@pytest.fixture
def site(tmp_path: Path) -> StaffSite:
    made = StaffSite(tmp_path)
    with made.database():
        seed_wave(1, 0)
    return made


class LostTablet:
    """One whose secret this server derives, and whose row was lost."""

    def __init__(self, site: StaffSite) -> None:
        self.device = str(uuid.uuid4())
        self.client = site.app.test_client()
        self.secret = device_secret(site.app.extensions["survey_settings"].device_master_key, self.device)

    def headers(self, method: str, path: str, raw: bytes) -> dict[str, str]:
        signature = sign_request(self.secret, method, path, raw)
        return {"X-Device": self.device, "X-Signature": signature, "Content-Digest": content_digest(raw)}

    def put(self, text: str) -> TestResponse:
        path, raw = f"/api/v1/records/{json.loads(text)['id']}", text.encode()
        return self.client.put(path, data=raw, headers=self.headers("PUT", path, raw))

    def beat(self, **news: object) -> TestResponse:
        path, raw = "/api/v1/devices/heartbeat", json.dumps(news).encode()
        return self.client.post(path, data=raw, headers=self.headers("POST", path, raw))

    def signatures(self, texts: list[str]) -> list[str]:
        return [
            sign_request(self.secret, "PUT", f"/api/v1/records/{json.loads(text)['id']}", text.encode())
            for text in texts
        ]


def judged(site: StaffSite) -> list[Response]:
    with site.database():
        judge_waiting(now=datetime.now(tz=UTC) + LATER)
        db.session.rollback()
        mine = db.session.query(InboxRecord.id).filter(InboxRecord.device_id.is_not(None))
        return list(db.session.query(Response).filter(Response.record_id.in_(mine)))


def name_it(site: StaffSite, device: str, known_as: str) -> int:
    address = f"{TABLETS}/{device}/reconnaitre"
    return post(site.client(), address, {"known_as": known_as}, page=TABLETS).status_code


def bring(site: StaffSite, content: object) -> str:
    client = site.client("technician")
    form = {
        "file": (io.BytesIO(json.dumps(content).encode()), "a.json"),
        "csrf_token": form_token(client.get(RESCUE).text),
    }
    return client.post(RESCUE, data=form, content_type="multipart/form-data").text


def state_of(site: StaffSite, device: str) -> Device:
    with site.database():
        db.session.rollback()
        return db.session.get_one(Device, device)


def test_a_rightly_signed_record_gets_its_receipt_and_the_tablet_is_told_that_it_is_unknown(
    site: StaffSite,
) -> None:
    tablet = LostTablet(site)
    (text,) = chained(tablet.device, [1])
    answer = tablet.put(text)
    assert answer.status_code == 200
    receipt = answer.get_json()
    parts = {name: receipt[name] for name in ("id", "revision", "sha256", "epoch", "stored_at")}
    assert receipt["sha256"] == content_hash(text.encode())
    assert receipt["mac"] == receipt_mac(tablet.secret, **parts)
    told = tablet.beat(beat=1, waiting=0, high_seq=1, held=[])
    assert (told.status_code, told.get_json()) == (401, {"unknown": True})
    assert state_of(site, tablet.device).high_seq == 1
    assert judged(site) == [], "nobody has said which tablet it is"
    with site.database():
        (row,) = db.session.query(InboxRecord).filter_by(device_id=tablet.device)
        assert (row.flags, row.site) == ([], None)
        assert [one.action for one in audit.latest(20)].count("device-met") == 1


def test_another_s_signature_meets_nobody(site: StaffSite) -> None:
    tablet = LostTablet(site)
    tablet.secret = b"x" * 32
    assert tablet.put(chained(tablet.device, [1])[0]).status_code == 401
    assert tablet.beat(beat=1).status_code == 401
    with site.database():
        assert db.session.query(Device).count() == 0


def test_what_an_unknown_tablet_sent_holds_the_seal_up_until_somebody_names_it(site: StaffSite) -> None:
    tablet = LostTablet(site)
    (text,) = chained(tablet.device, [1])
    tablet.put(text)
    with site.database():
        waves.close_wave(WAVE, actor="test")
        wave = waves.find_wave(WAVE)
        assert wave is not None
        assert "1 envoi vient d’une tablette inconnue ici" in waves.why_not("seal", wave)
        ended = unjudged.judge_or_set_apart(WAVE, [json.loads(text)["id"]], by="a")
        assert (ended.unidentified, ended.apart) == (1, 0), "it is not thrown out by impatience"
    pages = {
        "tablets": site.client().get(TABLETS).text,
        "reconciliation": site.client().get(f"/gestion/editions/{WAVE}/rapprochement").text,
        "revoke": site.client().get(f"{TABLETS}/{tablet.device}/revoquer").text,
    }
    assert "Ce serveur ne la connaît plus" in pages["tablets"]
    assert "Ses envois ne sont pas encore lus" in pages["reconciliation"]
    assert_good_pages({name: (page, "fr") for name, page in pages.items()})


def test_the_referent_says_of_which_site_it_is_and_its_records_count_there(site: StaffSite) -> None:
    tablet = LostTablet(site)
    for text in chained(tablet.device, [1, 2]):
        tablet.put(text)
    assert "Quelle tablette est-ce" in site.client().get(TABLETS).text
    assert "Quelle tablette est-ce" not in site.client("technician").get(TABLETS).text
    assert name_it(site, tablet.device, "site:nowhere") == 422
    assert name_it(site, tablet.device, f"site:{SITE}") == 303
    found = judged(site)
    assert [one.site for one in found] == [SITE, SITE]
    assert not {"unknown_site", "foreign_device", "revoked_device"} & {
        flag for one in found for flag in one.flags
    }
    assert tablet.beat(beat=1, high_seq=2).status_code == 200, "it goes on under its old enrolment"
    page = site.client().get(f"/gestion/editions/{WAVE}/rapprochement").text
    assert "2 passés, 2 reçus, 0 manquant" in page
    assert "Tablette inconnue reconnue" in site.client().get("/gestion/journal").text


def test_the_records_of_a_file_count_under_the_tablet_that_the_referent_names(site: StaffSite) -> None:
    with site.database():
        today = a_device("Accueil 3")
    tablet = LostTablet(site)
    texts = chained(tablet.device, [1, 2, 3])
    page = bring(site, {"records": texts, "signatures": tablet.signatures(texts)})
    assert "Ce serveur ne connaît pas cette tablette." in page
    assert judged(site) == []
    assert name_it(site, tablet.device, today) == 303
    found = judged(site)
    assert {one.site for one in found} == {SITE}
    assert all("imported" in one.flags and "unproved" not in one.flags for one in found)
    page = site.client().get(f"/gestion/editions/{WAVE}/rapprochement").text
    assert "Accueil 3 (inscription perdue)" in page
    assert "3 passés, 3 reçus, 0 manquant" in page
    assert tablet.put(texts[0]).status_code == 200, "its own resend gets its receipt: the alarm ends"
    assert "déjà reçu" in bring(site, {"records": texts}).lower()
    assert "Accueil 3 (inscription perdue)" in site.client().get("/gestion/journal").text


def test_one_that_nobody_knows_is_revoked_and_its_records_wait_for_a_decision(site: StaffSite) -> None:
    tablet = LostTablet(site)
    tablet.put(chained(tablet.device, [1])[0])
    assert post(site.client(), f"{TABLETS}/{tablet.device}/revoquer").status_code == 303
    (found,) = judged(site)
    assert "revoked_device" in found.flags
    assert tablet.beat(beat=1).get_json()["revoked"] is True


def test_a_file_that_names_many_unknown_tablets_is_refused_and_makes_none(site: StaffSite) -> None:
    texts = [chained(str(uuid.uuid4()), [1])[0] for _ in range(21)]
    assert "plus de 20 tablettes inconnues" in bring(site, {"records": texts})
    with site.database():
        assert db.session.query(Device).count() == 0
