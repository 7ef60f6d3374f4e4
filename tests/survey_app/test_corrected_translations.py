"""A corrected translation under the same digest reaches the website at once, and the tablets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from survey_app import audit, questionnaires
from survey_app.models import QuestionnaireVersion
from tests.survey_app.staff_site import StaffSite, a_source, form_token
from tests.survey_app.tablet_site import QUESTIONNAIRE, TabletSite, tablet_site

FRENCH = "Comment nos agents vous ont-ils parlé ?"


def republish(site: TabletSite, translations: dict[str, dict[str, str]]) -> QuestionnaireVersion:
    with site.app.app_context():
        return questionnaires.publish_source(QUESTIONNAIRE, translations, actor="Une relectrice")


def listed(site: TabletSite) -> tuple[str, str]:
    """The digest of the bundle, and that of the questionnaire in it."""
    bundle: dict[str, Any] = site.app.test_client().get("/tablette/bundle.json").get_json()
    return bundle["bundle_digest"], bundle["questionnaires"][0]["questionnaire_digest"]


def test_a_corrected_translation_is_on_the_website_and_the_tablets_at_once(tmp_path: Path) -> None:
    with tablet_site(tmp_path) as site:
        client = site.app.test_client()
        website, tablet = "/q/usagers/en?site=immigration", "/tablette/q/usagers/en"
        for wording in ("How did our staff talk to you?", "How did our staff speak to you?"):
            for page in (website, tablet):
                assert wording not in client.get(page).text
            bundle, digest = listed(site)
            republish(site, {"en": {FRENCH: wording}})
            for page in (website, tablet):
                assert wording in client.get(page).text
            assert listed(site)[0] != bundle
            assert listed(site)[1] == digest


def test_a_language_that_is_not_given_keeps_its_texts_and_equal_texts_change_nothing(tmp_path: Path) -> None:
    with tablet_site(tmp_path) as site:
        before = republish(site, {"en": {FRENCH: "How did we speak?"}})
        bundle = listed(site)[0]
        after = republish(site, {})
        assert after.published_at == before.published_at
        assert after.translations == before.translations
        assert after.translations["ar"]
        assert listed(site)[0] == bundle
        with site.app.app_context():
            assert [entry.action for entry in audit.latest(9)].count("translations-corrected") == 1


def test_the_referent_publishes_corrected_translations_from_a_draft(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    with site.database():
        published = questionnaires.publish_source(a_source(), {"en": {"Un mot": "A word"}}, actor="test")
        same, other = ({"en": {"Un mot": word}} for word in ("A word", "A few words"))
        drafts = [questionnaires.save_draft(a_source(), texts, actor="test") for texts in (same, other)]
    client = site.client()
    pages = [client.get(f"/gestion/questionnaires/brouillons/{draft}").text for draft in drafts]
    assert ["Publier ces traductions" in page for page in pages] == [False, True]
    address = f"/gestion/questionnaires/brouillons/{drafts[1]}/publier"
    answer = client.post(address, data={"csrf_token": form_token(pages[1])})
    assert answer.headers["Location"].endswith(published.digest)
    assert "A few words" in client.get(f"{answer.headers['Location']}/apercu/website/en").text
