"""The application with an open wave for tablets, and a tablet that speaks as the client does."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from form_definitions import load_translations
from survey_app import create_app
from survey_app.database import db, write_transaction
from survey_app.device_models import Device
from survey_app.enrolment import hashed_pin, make_code
from survey_app.models import InboxRecord
from survey_app.questionnaires import publish_source
from survey_app.responses.credentials import content_digest, receipt_mac, sign_request
from survey_app.responses.envelope import (
    Body,
    Envelope,
    encode_body,
    open_body,
    read_envelope,
    sealed,
    write_envelope,
)
from survey_app.responses.record_keys import PublicKey, held
from survey_app.settings import testing
from survey_app.waves import WavePlan, close_wave, create_wave, open_wave
from tests.survey_app.empty_database import empty_database

SITE = "accueil_general"
QUESTIONNAIRE = """
questionnaire: usagers
title: Votre avis sur nos services
description: Vos réponses nous aident à améliorer l’accueil. Elles sont anonymes.
audience: users
framework: qual_e_pref
estimated_minutes: 2
partial_policy: keep
modes: [tablet, website]
sites: [accueil_general, immigration]
sections:
  - section: welcome
    title: L’accueil
    questions:
      - item: courtesy
        type: satisfaction
        scale: satisfaction_4
        label: Comment nos agents vous ont-ils parlé ?
        requirement: required
        commitment: courtoisie
      - item: unclear
        type: multiple_choice
        label: Qu’est-ce qui n’était pas clair ?
        relevant_if: {any_of: [courtesy, [dissatisfied, very_dissatisfied]]}
        options:
          - {option: words, label: Les mots}
          - {option: other, label: Autre chose, specify: Précisez}
          - {option: everything, label: "Tout, je n’ai rien compris", exclusive: true}
  - section: ending
    title: Pour finir
    questions:
      - item: minutes
        type: number
        label: Combien de minutes avez-vous attendu ?
        minimum: 0
        maximum: 300
        unit: minutes
      - item: comment
        type: long_text
        label: Voulez-vous ajouter quelque chose ?
        maximum_length: 100
"""


@dataclass
class TabletSite:
    """One application on its own database."""

    app: Flask
    wave: str = "usagers-2026"

    def open_wave(self, source: str = QUESTIONNAIRE) -> str:
        """Publish a questionnaire and open a wave for it; gives the questionnaire's digest."""
        version = publish_source(source, load_translations(), actor="test")
        create_wave(a_plan(self.wave, version.digest), actor="test")
        open_wave(self.wave, actor="test")
        return version.digest

    def close_wave(self) -> None:
        """No tablet asks from now on."""
        with self.app.app_context():
            close_wave(self.wave, actor="test")

    def code(self, pin: str | None = None) -> str:
        """A fresh one-time code, for a tablet whose agents have this PIN."""
        with self.app.app_context():
            languages = ["fr", "en", "ar"]
            return make_code(
                name="T-07",
                site=SITE,
                slugs=["usagers"],
                languages=languages,
                created_by="test",
                pin=None if pin is None else hashed_pin(pin),
            )

    def revoke(self, device: str) -> None:
        """The tablet is lost."""
        with self.app.app_context(), write_transaction() as transaction:
            found = transaction.get(Device, device)
            assert found is not None
            found.state = "revoked"

    def records(self) -> list[InboxRecord]:
        """What the inbox holds, in the order of arrival."""
        with self.app.app_context():
            return list(db.session.scalars(select(InboxRecord).order_by(InboxRecord.received_at)))

    def bodies(self) -> list[Body]:
        """What the records of the inbox say, in the order of the tablet's numbers."""
        records = sorted(self.records(), key=lambda record: record.seq or 0)
        with self.app.app_context():
            return [open_body(read_envelope(record.envelope or b""), held()) for record in records]

    def answers(self) -> list[dict[str, Any]]:
        """The answers in the inbox, in the order of the tablet's numbers."""
        return [body.answers for body in self.bodies()]


def a_plan(wave: str, digest: str) -> WavePlan:
    """A wave of this year for two sites, on tablets and online."""
    return WavePlan(
        id=wave,
        title="Usagers 2026",
        questionnaire_digest=digest,
        opens_on=date(2026, 1, 1),
        closes_on=date(2030, 12, 31),
        sites=(SITE, "immigration"),
        languages=("fr", "en", "ar"),
        modes=("tablet", "website"),
        headline_modes=("tablet",),
        headline_sites=(SITE,),
    )


@contextmanager
def tablet_site(folder: Path, source: str = QUESTIONNAIRE, **settings: Any) -> Iterator[TabletSite]:
    """The whole application with an open wave."""
    app = create_app(testing(data_folder=folder, **settings))
    (folder / "survey.db").write_bytes(empty_database())
    with app.app_context():
        held().make(datetime.now(UTC))
        site = TabletSite(app)
        site.open_wave(source)
    yield site
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@dataclass
class FakeTablet:
    """Speaks the client's side of the contract."""

    client: FlaskClient
    device: str
    secret: bytes
    sealing_key: PublicKey
    seq: int = field(default=0)

    @classmethod
    def enrolled(cls, site: TabletSite) -> FakeTablet:
        """A tablet that has just exchanged its code."""
        client = site.app.test_client()
        answer = client.post("/api/v1/devices/enrol", json={"code": site.code()})
        assert answer.status_code == 200, answer.text
        with site.app.app_context():
            key = held().current()
        return cls(client, answer.get_json()["device"], bytes.fromhex(answer.get_json()["secret"]), key)

    def envelope(self, answers: dict[str, Any] | None = None, **changes: Any) -> bytes:
        """The next record of this tablet, sealed."""
        self.seq += 1
        body = {"answers": answers or {"courtesy": ["satisfied"]}, "language": "fr", "complete": True}
        body |= {"practice": False, "site": None, "started_at": None, "finished_at": "2026-06-15T08:00:00Z"}
        body |= {"clock_offset_ms": None, "assisted": None}
        frame: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "revision": 1,
            "device": self.device,
            "seq": self.seq,
        }
        frame |= {"prev": None, "wave": "usagers-2026", "body": encode_body(body)}
        frame |= {"questionnaire_digest": "a" * 64, "bundle_digest": "b" * 64}
        return write_envelope(sealed(Envelope(**{**frame, **changes}), self.sealing_key))

    def call(self, method: str, path: str, raw: bytes, **headers: str) -> TestResponse:
        """A signed request."""
        known = {
            "X-Device": self.device,
            "X-Signature": sign_request(self.secret, method, path, raw),
            "Content-Digest": content_digest(raw),
        }
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(path, method=method, data=raw, headers={**known, **given})

    def put(self, raw: bytes, **headers: str) -> TestResponse:
        """Send one record to its address."""
        return self.call("PUT", f"/api/v1/records/{json.loads(raw)['id']}", raw, **headers)

    def is_receipt_for(self, raw: bytes, receipt: dict[str, Any]) -> bool:
        """Whether this is the server's own receipt for these bytes."""
        parts = {name: receipt[name] for name in ("id", "revision", "sha256", "epoch", "stored_at")}
        named = (
            receipt["sha256"] == hashlib.sha256(raw).hexdigest() and receipt["id"] == json.loads(raw)["id"]
        )
        return bool(named) and str(receipt["mac"]) == receipt_mac(self.secret, **parts)
