"""Every staff page is valid HTML, labelled, in French typography, without inline code."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey_app import past_results, questionnaires
from survey_app.frames import import_frame
from survey_app.frames.synthetic import synthetic_frame
from survey_app.mailing import planning
from tests.page_checks import assert_good_pages
from tests.survey_app import records
from tests.survey_app.staff_site import WAVE, StaffSite, a_source, seed_wave, some_commitment


@pytest.fixture
def site(tmp_path: Path) -> StaffSite:
    made = StaffSite(tmp_path, demonstration=True)
    with made.database():
        seed_wave(24, 6, comment="Un mot")
        questionnaires.save_draft(a_source(Votre="Notre"), {}, actor="test")
        questionnaires.save_draft("questionnaire: autre\ntitle: [", {}, actor="test")
        text = f"commitment,item,favourable,base\n{some_commitment()},,140,180\n"
        planning.create_mailing(WAVE, "invitation", actor="test")
        records.open_a_wave()
        for content in ({"minutes": 40}, {"minutes": 50}):
            records.take(records.a_record(content, record_id=records.DEVICE))
        import_frame(synthetic_frame(), actor="test")
        past_results.import_counts("essai", 2024, "2024", text, source="2024.csv", actor="test")
    return made


def addresses(digest: str) -> dict[str, str]:
    """A short name and the address of every kind of staff page."""
    return {
        "home": "/gestion/",
        "results": f"/gestion/resultats/{WAVE}",
        "engagement": f"/gestion/resultats/{WAVE}/engagement/{some_commitment()}",
        "verbatims": f"/gestion/resultats/{WAVE}/verbatims",
        "responses": f"/gestion/reponses/{WAVE}",
        "no-response-found": f"/gestion/reponses/{WAVE}?reference=AAAA-AAAA",
        "variants": f"/gestion/reponses/{records.WAVE}",
        "waves": "/gestion/editions",
        "wave": f"/gestion/editions/{WAVE}",
        "closing": f"/gestion/editions/{WAVE}/clore",
        "new-wave": f"/gestion/editions/nouvelle/{digest}",
        "move": f"/gestion/editions/{WAVE}/version/{digest}",
        "questionnaires": "/gestion/questionnaires",
        "draft": "/gestion/questionnaires/brouillons/1",
        "publication": "/gestion/questionnaires/brouillons/1/publier",
        "faulty-draft": "/gestion/questionnaires/brouillons/2",
        "version": f"/gestion/questionnaires/versions/{digest}",
        "preview": f"/gestion/questionnaires/versions/{digest}/apercu/website/fr",
        "tablet-preview": f"/gestion/questionnaires/versions/{digest}/apercu/tablet/fr",
        "tablets": "/gestion/tablettes",
        "tablet-guide": "/gestion/tablettes/preparer",
        "exports": f"/gestion/exports/{WAVE}",
        "lists": "/gestion/listes",
        "list": "/gestion/listes/1",
        "import": "/gestion/listes/importer",
        "past": "/gestion/annees-passees",
        "users": "/gestion/comptes",
        "own-account": "/gestion/mon-compte",
        "log": "/gestion/journal",
        "mailings": f"/gestion/editions/{WAVE}/envois",
        "mailing-text": "/gestion/envois/1",
        "mailing-preview": "/gestion/envois/1/apercu",
        "mailing-plan": "/gestion/envois/1/programmer",
        "not-found": "/gestion/nowhere",
    }


def test_every_staff_page_is_a_good_page(site: StaffSite) -> None:
    client = site.client()
    with site.database():
        digest = questionnaires.versions()[0].digest
    pages = {name: (client.get(address).text, "fr") for name, address in addresses(digest).items()}
    pages["sign-in"] = (site.client(None).get("/gestion/connexion").text, "fr")
    assert_good_pages(pages)
