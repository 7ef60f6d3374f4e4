"""A corrected translation under the same digest reaches the website at once, and the tablets."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from survey_app import audit, questionnaires
from survey_app.draft_translations import of_texts
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
    asked = client.get(address).text
    assert "figée" not in asked, "the content stays the same"
    answer = client.post(address, data={"csrf_token": form_token(asked)})
    assert answer.headers["Location"].endswith(published.digest)
    assert "A few words" in client.get(f"{answer.headers['Location']}/apercu/website/en").text


SOURCE = a_source(**{"La courtoisie": "Comment s’est passé l’accueil\u00a0?", "Un mot": "Un mot\u202f!"})
TYPED = """
msgid "Comment s'est passé l'accueil ?"
msgstr "How did it go?"

msgid "Un mot !"
msgstr "A word!"
"""


def test_a_translation_typed_with_plain_spaces_and_straight_apostrophes_is_taken(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    client = site.client()
    page = "/gestion/questionnaires"
    files = {"source": SOURCE, "translation_en": TYPED}
    sent = {name: (io.BytesIO(text.encode()), f"{name}.txt") for name, text in files.items()}
    answer = client.post(page, data={**sent, "csrf_token": form_token(client.get(page).text)})
    draft = answer.headers["Location"]
    shown = client.get(f"{draft}/apercu/website/en").text
    assert "How did it go?" in shown
    assert "A word!" in shown
    assert "<li>Un mot\u202f!</li>" not in client.get(draft).text, "told as missing"


def test_a_text_whose_spaces_are_mended_keeps_its_translation(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    typed = SOURCE.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")
    with site.database():
        said = {"Un mot !": "A word!", "Comment s'est passé l'accueil ?": "How did it go?"}
        questionnaires.publish_source(typed, {"en": said}, actor="test")
        number = questionnaires.save_draft(SOURCE, {}, actor="test")
        draft = questionnaires.find_draft(number)
        assert draft is not None
        assert draft.translations["en"]["Un mot\u202f!"] == "A word!"
    page = site.client().get(f"/gestion/questionnaires/brouillons/{number}").text
    assert "<li>Un mot !</li>" not in page, "told as a translation that no longer serves"


def test_two_texts_that_differ_in_spaces_alone_take_no_translation_by_guess() -> None:
    said = {"Un mot": "One", "Unmot": "Two", "Autre": "Other"}
    assert of_texts(["Un\u00a0mot", "Un mot", "Autre"], said) == {"Un mot": "One", "Autre": "Other"}
