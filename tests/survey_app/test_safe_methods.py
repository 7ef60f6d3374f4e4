"""Reading changes nothing: the database is the same after every GET and HEAD a referent can make.

Only the log grows, by the line that says who downloaded which file: the README of the responses says why.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from survey_app import enrolment, past_results, questionnaires
from survey_app.database import Base, db
from survey_app.frames import import_frame
from survey_app.frames.synthetic import synthetic_frame
from survey_app.mailing import planning
from survey_app.models import AuditEntry
from survey_app.responses.record_keys import held
from tests.survey_app.staff_site import WAVE, StaffSite, a_source, seed_wave, some_commitment


def content_hash() -> str:
    """One hash over all rows of all tables, less the log's lines about downloads."""
    found = hashlib.sha256()
    with db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            query = sa.select(*table.columns)
            if table.name == AuditEntry.__tablename__:
                query = query.where(table.c.action != "exported")
            rows = connection.execute(query).all()
            found.update(f"{table.name}:{sorted(map(repr, rows))}".encode())
    return found.hexdigest()


@pytest.fixture
def site(tmp_path: Path) -> StaffSite:
    made = StaffSite(tmp_path)
    with made.database():
        held().make(dt.datetime.now(dt.UTC))
        seed_wave(12, 4, comment="Un mot")
        questionnaires.save_draft(a_source(Votre="Notre"), {}, actor="test")
        past_results.import_counts(
            "essai",
            2024,
            "2024",
            "commitment,item,favourable,base\ninformation,,1,2\n",
            source="x",
            actor="test",
        )
        import_frame(synthetic_frame(), actor="test")
        planning.create_mailing(WAVE, "invitation", actor="test")
        enrolment.make_code(
            name="A", site="accueil_general", slugs=["essai"], languages=["fr"], created_by="x"
        )
    return made


def values(digest: str) -> dict[str, object]:
    """Values of the variable parts of addresses that lead to something that exists."""
    return {
        "wave_id": WAVE,
        "digest": digest,
        "slug": "essai",
        "language": "fr",
        "code": some_commitment(),
        "draft_id": 1,
        "user_id": 1,
        "survey_id": 1,
        "year": 2024,
        "mode": "tablet",
        "name": "classeur",
        "filename": "build/manifest.json",
        "act": "ouvrir",
        "end": "merci",
        "token": "A" * 32,
        "mailing_id": 1,
        "record_id": "00000000-0000-4000-8000-000000000000",
        "device_id": "x",
        "frame_id": 1,
        "invitation_id": "0" * 32,
    }


def read_everything(site: StaffSite, client: FlaskClient, digest: str) -> dict[str, int]:
    """GET and HEAD on every address; the status of each GET."""
    known, seen = values(digest), {}
    for route in site.app.url_map.iter_rules():
        if "GET" not in (route.methods or set()):
            continue
        adapter = site.app.url_map.bind("localhost")
        address = adapter.build(route.endpoint, {name: known[name] for name in route.arguments})
        for method in ("HEAD", "GET"):
            with client.open(address, method=method) as answer:
                seen[address] = answer.status_code
                answer.get_data()
    return seen


@pytest.mark.abuse("AC-12")
def test_no_get_or_head_changes_a_single_row(site: StaffSite) -> None:
    client = site.client()
    with site.database():
        digest = questionnaires.versions()[0].digest
        before = content_hash()
    seen = read_everything(site, client, digest)
    with site.database():
        assert content_hash() == before
        downloads = sa.select(AuditEntry.detail).where(AuditEntry.action == "exported")
        assert db.session.scalars(downloads).all() == [{"file": "classeur"}]  # the GET; its HEAD leaves none
    assert len(seen) > 30
    assert not [address for address, status in seen.items() if status >= 500]
    reached = [address for address, status in seen.items() if status == 200]
    assert len(reached) > 0.7 * len(seen), sorted(set(seen) - set(reached))


def test_the_hash_notices_a_change_of_one_row(site: StaffSite) -> None:
    with site.database():
        before = content_hash()
        questionnaires.delete_draft(1, actor="test")
        assert content_hash() != before
