"""The file of a tablet without network, brought by staff: the same door as for any record, and once only."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from survey_app import audit
from survey_app.database import db
from survey_app.device_models import Device
from survey_app.models import InboxConflict, InboxRecord
from survey_app.responses.chains import chains
from survey_app.responses.credentials import device_secret, sign_request
from survey_app.responses.flags import FLAGS
from tests.page_checks import assert_good_pages
from tests.survey_app.staff_site import StaffSite, form_token, seed_wave
from tests.survey_app.tablet_chains import SITE, a_device, chained, receive

PAGE = "/gestion/fichier-de-secours"


@pytest.fixture
def site(tmp_path: Path) -> StaffSite:
    made = StaffSite(tmp_path)
    with made.database():
        seed_wave(1, 0)
    return made


def bring(client: FlaskClient, content: Any) -> TestResponse:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    form = {"file": (io.BytesIO(raw), "accueil-2.json"), "csrf_token": form_token(client.get(PAGE).text)}
    return client.post(PAGE, data=form, content_type="multipart/form-data")


def stored(site: StaffSite) -> list[InboxRecord]:
    with site.database():
        return list(db.session.query(InboxRecord).order_by(InboxRecord.seq))


def test_the_records_of_the_file_fill_the_numbers_that_were_missing(site: StaffSite) -> None:
    with site.database():
        device = a_device(high_seq=3)
        texts = chained(device, [1, 2, 3])
        receive(device, texts[:1])
    client = site.client("technician")
    with site.database():
        secret = device_secret(site.app.extensions["survey_settings"].device_master_key, device)
    signatures = [
        sign_request(secret, "PUT", f"/api/v1/records/{json.loads(text)['id']}", text.encode())
        for text in texts
    ]
    page = bring(client, {"records": texts, "signatures": signatures, "exported_at": "2026-06-15"}).text
    assert "Reçu par ce fichier\u00a0: 2" in page
    assert "Déjà reçu, rien à faire\u00a0: 1" in page
    assert [(row.envelope, row.flags, row.site) for row in stored(site)] == [
        (texts[0].encode(), [], SITE),
        (texts[1].encode(), ["imported"], SITE),
        (texts[2].encode(), ["imported"], SITE),
    ]
    with site.database():
        known = db.session.get_one(Device, device)
        assert chains(db.session(), [known])[device].missing == 0
        (entry,) = [one for one in audit.latest(20) if one.action == "records-imported"]
        assert (entry.actor, entry.subject) == ("technician@prefecture.test.fr", "Accueil-2")
        assert entry.detail["records"] == [json.loads(text)["id"] for text in texts[1:]]
    assert "Fichier de secours importé" in site.client().get("/gestion/journal").text


def test_the_same_file_again_changes_nothing_and_says_so(site: StaffSite) -> None:
    with site.database():
        device = a_device()
        texts = chained(device, [1, 2])
    client = site.client()
    bring(client, {"records": [*texts, texts[0]]})
    before = [(row.id, row.received_at) for row in stored(site)]
    page = bring(client, {"records": texts}).text
    assert "Déjà reçu, rien à faire\u00a0: 2" in page
    assert "eçu par ce fichier" not in page
    assert [(row.id, row.received_at) for row in stored(site)] == before
    receipt_of_the_tablet = chained(device, [3])
    with site.database():
        receive(device, [*texts, *receipt_of_the_tablet])
    assert len(stored(site)) == 3


def test_each_record_has_its_fate_and_a_bad_one_stops_no_other(site: StaffSite) -> None:
    with site.database():
        device, other = a_device(), a_device("Accueil-3", state="revoked")
        (first,) = chained(device, [1])
        receive(device, [first])
        changed = json.dumps({**json.loads(first), "bundle_digest": "c" * 64})
        (revoked,) = chained(other, [1])
        (stranger,) = chained("00000000-0000-4000-8000-000000000009", [7])
    page = bring(site.client(), {"records": ["{", changed, revoked, stranger]}).text
    for words in (
        "gardé à part",
        "illisible",
        "Tablette inconnue 00000000",
        "Reçu par ce fichier\u00a0: 2",
        "Accueil-3",
    ):
        assert words in page
    flags = {row.device_id: row.flags for row in stored(site)}
    lost = json.loads(stranger)["device"]
    assert flags == {
        device: [],
        other: ["imported", "unproved", "revoked_device"],
        lost: ["imported", "unproved"],
    }
    with site.database():
        assert db.session.query(InboxConflict).one().device_id == device


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", [], {}, {"records": "x"}, {"records": [1]}, {"records": None}]
)
def test_another_file_is_refused_and_stores_nothing(site: StaffSite, content: Any) -> None:
    assert bring(site.client(), content).status_code == 422
    assert stored(site) == []


def test_a_record_without_its_tablet_s_signature_is_kept_and_not_counted(site: StaffSite) -> None:
    with site.database():
        device, key = a_device(), site.app.extensions["survey_settings"].device_master_key
        texts = chained(device, [1, 2, 3])
    paths = [f"/api/v1/records/{json.loads(text)['id']}" for text in texts]
    signed = [
        sign_request(device_secret(key, device), "PUT", path, text.encode())
        for path, text in zip(paths, texts, strict=True)
    ]
    bring(site.client(), {"records": texts, "signatures": [signed[0], signed[0], None]})
    assert [row.flags for row in stored(site)] == [["imported"], *[["imported", "unproved"]] * 2]
    assert not FLAGS["unproved"].counted
    assert FLAGS["unproved"].countable


def test_an_imported_response_counts_and_is_shown_to_the_referent() -> None:
    assert FLAGS["imported"].counted
    assert "fichier de secours" in FLAGS["imported"].meaning


def test_the_page_is_a_good_page_before_and_after(site: StaffSite) -> None:
    client = site.client()
    with site.database():
        texts = chained(a_device(), [1, 2])
    pages = {"before": client.get(PAGE).text, "after": bring(client, {"records": [*texts, "{"]}).text}
    pages["empty"] = bring(client, {"records": []}).text
    assert_good_pages({name: (page, "fr") for name, page in pages.items()})
