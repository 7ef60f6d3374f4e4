"""What a referent without a shell does in a year, page by page, and how each page says what is wrong."""

from __future__ import annotations

import io
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from survey_app import audit, enrolment, heartbeats, questionnaires, waves
from survey_app.access import ROLES
from survey_app.database import db, write_transaction
from survey_app.device_models import Device
from survey_app.models import Response, ResponseSetAside
from survey_app.responses.envelope import content_hash
from survey_app.responses.intake import judge_waiting
from survey_app.responses.sent_anew import number_of
from tests.survey_app import records
from tests.survey_app.staff_site import (
    WAVE,
    StaffSite,
    a_source,
    form_token,
    post,
    seed_wave,
    upload,
)

QUESTIONNAIRES = "/gestion/questionnaires"


def test_a_questionnaire_is_uploaded_checked_previewed_and_published(site: StaffSite) -> None:
    client = site.client()
    answer = upload(client, QUESTIONNAIRES, "source", a_source())
    assert answer.status_code == 303
    draft = answer.headers["Location"]
    page = client.get(draft).text
    assert "première version" in page
    preview = client.get(f"{draft}/apercu/tablet/fr")
    assert preview.status_code == 200
    assert "La courtoisie" in preview.text
    assert "rien n’est envoyé" in preview.text
    published = post(client, f"{draft}/publier")
    assert published.status_code == 303
    assert "Votre avis" in client.get(published.headers["Location"]).text
    assert client.get(draft).status_code == 404


def test_publishing_asks_first_and_says_what_is_frozen_and_broken(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
    client = site.client()
    other = a_source(**{"item: courtesy": "item: politeness", "La courtoisie": "La politesse"})
    draft = upload(client, QUESTIONNAIRES, "source", other).headers["Location"]
    assert f'href="{draft}/publier"' in client.get(draft).text
    asked = client.get(f"{draft}/publier").text
    for words in (
        "figée\u00a0: elle ne se corrige plus",
        "Séries rompues",
        "La politesse",
        "Ne rien changer",
    ):
        assert words in asked, words
    with site.database():
        assert len(questionnaires.versions()) == 1, "asking publishes nothing"
    assert post(client, f"{draft}/publier").status_code == 303
    with site.database():
        assert len(questionnaires.versions()) == 2


def test_a_faulty_questionnaire_shows_every_fault_with_its_place_and_remedy(site: StaffSite) -> None:
    client = site.client("assistant")
    broken = a_source(**{"satisfaction_4": "satisfaction_5000", "modes: [tablet": "modes: [tablette"})
    page = client.get(upload(client, QUESTIONNAIRES, "source", broken).headers["Location"]).text
    places = re.findall(r"<code>essai\.yaml:(\d+):\d+</code>", page)
    assert len(set(places)) >= 2
    assert "Vouliez-vous dire" in page
    assert "Publier cette version" not in page
    number = re.search(r"brouillons/(\d+)", page)
    assert number is not None
    asked = site.client().get(f"{QUESTIONNAIRES}/brouillons/{number[1]}/publier")
    assert asked.headers["Location"].endswith(f"brouillons/{number[1]}")


@pytest.mark.parametrize(
    "content, word", [(b"\xff\xfe\x00", "UTF-8"), (b"   ", "Le fichier est vide")], ids=["bytes", "empty"]
)
def test_a_file_that_is_no_text_is_refused_in_the_page(site: StaffSite, content: bytes, word: str) -> None:
    answer = upload(site.client(), QUESTIONNAIRES, "source", content)
    assert answer.status_code == 422
    assert word in answer.text


def test_translations_come_as_po_files_and_broken_ones_are_refused(site: StaffSite) -> None:
    client = site.client()
    po = 'msgid "La courtoisie"\nmsgstr "Courtesy"\n'
    token = form_token(client.get(QUESTIONNAIRES).text)

    def send(translation: str) -> Any:
        data = {
            "csrf_token": token,
            "source": (io.BytesIO(a_source().encode()), "q.yaml"),
            "translation_en": (io.BytesIO(translation.encode()), "en.po"),
        }
        return client.post(QUESTIONNAIRES, data=data, content_type="multipart/form-data")

    draft = send(po).headers["Location"]
    assert "Courtesy" in client.get(f"{draft}/apercu/website/en").text
    answer = send('msgid "a"\nmsgstr "b"\nthis is no catalogue\n')
    assert answer.status_code == 422
    assert "(en)" in answer.text


@pytest.mark.abuse("AC-60")
def test_a_hostile_upload_is_only_ever_text(site: StaffSite) -> None:
    client = site.client()
    hostile = a_source(
        **{"La courtoisie": "<script>alert(1)</script>", "title: Votre": "title: <img src=x> Votre"}
    )
    draft = upload(client, QUESTIONNAIRES, "source", hostile).headers["Location"]
    for address in (draft, f"{draft}/apercu/website/fr"):
        page = client.get(address).text
        assert "<script>alert" not in page
        assert "<img src=x>" not in page


def test_a_draft_can_be_thrown_away(site: StaffSite) -> None:
    client = site.client("assistant")
    draft = upload(client, QUESTIONNAIRES, "source", a_source()).headers["Location"]
    assert post(client, f"{draft}/supprimer", page=draft).status_code == 303
    assert client.get(draft).status_code == 404


def test_a_step_that_is_not_possible_now_is_explained(site: StaffSite) -> None:
    with site.database():
        seed_wave()
    client, page = site.client(), f"/gestion/editions/{WAVE}"
    answer = post(client, f"{page}/publier", page=page)
    assert answer.status_code == 422
    assert "Scellez" in answer.text


def test_a_tablet_is_enrolled_by_a_code_shown_once_with_its_qr_code(site: StaffSite) -> None:
    with site.database():
        seed_wave(1, 0)
    client = site.client("technician")
    form = {
        "name": "Accueil 1",
        "site": "accueil_general",
        "slugs": ["essai"],
        "languages": ["fr"],
        "pin": "2580",
    }
    page = post(client, "/gestion/tablettes", form).text
    code = re.search(r'class="secret">([^<]+)<', page)
    assert code
    (drawn,) = re.findall(r"<svg[^>]*><title>([^<]+)</title>", page)
    assert drawn.endswith(f"/tablette/#{code[1]}")
    assert 'style="' not in page
    assert code[1] not in client.get("/gestion/tablettes").text
    with site.database():
        device = enrolment.redeem(code[1])
        assert device is not None
        assert (device.name, device.site) == ("Accueil 1", "accueil_general")
        assert (device.slugs, device.languages) == (["essai"], ["fr"])
    assert "Accueil 1" in client.get("/gestion/tablettes").text


@pytest.mark.parametrize("missing", ["name", "site", "slugs", "languages", "pin"])
def test_an_incomplete_enrolment_is_explained(site: StaffSite, missing: str) -> None:
    form = {
        "name": "Accueil 1",
        "site": "accueil_general",
        "slugs": ["essai"],
        "languages": ["fr"],
        "pin": "2580",
        missing: "",
    }
    form = {key: value for key, value in form.items() if value}
    assert post(site.client(), "/gestion/tablettes", form).status_code == 422


def test_a_revoked_tablet_stays_in_the_list_and_in_the_log(site: StaffSite) -> None:
    with site.database():
        code = enrolment.make_code(
            name="Accueil 1", site="accueil_general", slugs=[], languages=["fr"], created_by="x"
        )
        device = enrolment.redeem(code)
        assert device is not None
        number = device.id
    client, page = site.client(), "/gestion/tablettes"
    assert f'<form method="post" action="{page}/{number}/revoquer"' not in client.get(page).text
    asked = client.get(f"{page}/{number}/revoquer").text
    assert "Accueil 1" in asked
    assert "ne se remet pas en service" in asked
    with site.database():
        assert db.session.get_one(Device, number).state == "enrolled", "asking revokes nothing"
    assert post(client, f"{page}/{number}/revoquer").status_code == 303
    assert client.get(f"{page}/{number}/revoquer").status_code == 303, "once"
    assert "révoquée" in client.get(page).text
    assert post(client, f"{page}/{uuid.uuid4()}/revoquer", page=page).status_code == 404
    with site.database():
        assert db.session.get_one(Device, number).state == "revoked"
        assert audit.latest(1)[0].action == "device-revoked"
        (enrolled,) = [one for one in audit.latest(9) if one.action == "device-enrolled"]
        assert (enrolled.subject, enrolled.detail["code_made_by"]) == ("Accueil 1", "x")
    assert "Elle n’a pas encore confirmé qu’elle s’est vidée." in client.get(page).text
    with site.database(), write_transaction() as transaction:
        tablet = transaction.get_one(Device, number)
        told = {"emptied": True, "waiting": 0}
        heartbeats.remember(transaction, tablet, told, datetime(2026, 6, 15, 8, tzinfo=UTC))
    assert "Elle s’est vidée le 15 juin 2026 à 10:00." in client.get(page).text
    assert "Tablette révoquée vidée" in client.get("/gestion/journal").text


def test_a_text_sent_again_says_whose_draft_it_replaces(site: StaffSite) -> None:
    client = site.client("assistant")
    first = upload(client, QUESTIONNAIRES, "source", a_source())
    assert "remplace" not in client.get(first.location).text
    again = upload(client, QUESTIONNAIRES, "source", a_source(Votre="Notre"))
    assert re.search(r"remplace celui du .*, envoyé par assistant@", client.get(again.location).text)
    assert client.get(first.location).status_code == 404


def test_a_text_with_faults_leaves_the_sound_draft_of_the_same_questionnaire(site: StaffSite) -> None:
    client = site.client("assistant")
    sound = upload(client, QUESTIONNAIRES, "source", a_source())
    broken = upload(client, QUESTIONNAIRES, "source", a_source() + "\n\t- oops")
    assert "remplace" not in client.get(broken.location).text
    assert client.get(sound.location).status_code == 200
    upload(client, QUESTIONNAIRES, "source", a_source() + "\n\t- oops again")
    assert client.get(broken.location).status_code == 404
    assert client.get(sound.location).status_code == 200


def test_a_response_is_set_aside_with_a_reason_and_leaves_the_figures(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6, comment="Rien à signaler")
        record_id = db.session.scalars(select(Response.record_id)).first()
    client, page = site.client(), f"/gestion/reponses/{WAVE}"
    assert post(client, page, {"reponse": record_id, "reason": "test"}).status_code == 303
    with site.database():
        row = db.session.scalars(select(ResponseSetAside)).one()
        assert (row.record_id, row.reason, row.by) == (record_id, "test", "referent@prefecture.test.fr")
        assert len(db.session.scalars(select(Response)).all()) == 30
    assert "29" in client.get(page).text
    again = {"reponse": record_id, "reason": "reviewed", "decision": "count"}
    assert post(client, page, again).status_code == 303
    wrong = post(client, page, {"reponse": "unknown", "reason": "test"})
    assert wrong.status_code == 422
    assert "Aucune réponse" in wrong.text


def test_the_review_page_shows_what_waits_and_what_came_second_and_ends_the_waiting(site: StaffSite) -> None:
    with site.database():
        records.open_a_wave()
        record_id = records.take(records.a_record()).id
        records.take(records.a_record({"minutes": 40}, record_id=record_id))
    client, page = site.client(), f"/gestion/reponses/{records.WAVE}"
    shown = client.get(page).text
    assert f'value="{record_id}"' in shown
    assert "Autres contenus arrivés" in shown
    assert '<th scope="row">m</th><td>12</td><td>40</td>' in shown
    assert post(client, f"{page}/envois", {"envoi": record_id}, page=page).status_code == 303
    shown = client.get(page).text
    assert "L’envoi est lu." in shown
    assert 'name="envoi"' not in shown


def test_what_came_second_is_counted_apart_where_the_referent_says_so(site: StaffSite) -> None:
    with site.database():
        records.open_a_wave()
        record_id = records.take(records.a_record()).id
        other = records.a_record({"minutes": 40}, record_id=record_id)
        records.take(other)
        judge_waiting(now=records.NOW)
    client, page = site.client(), f"/gestion/reponses/{records.WAVE}"
    chosen = {"variante": content_hash(other), "precision": "deux personnes"}
    assert f'value="{content_hash(other)}"' in client.get(page).text
    for expected in ("compté à part", "Rien n’a changé"):
        assert post(client, f"{page}/variantes", chosen, page=page).status_code == 303
        shown = client.get(page).text
        assert expected in shown
    assert f'value="{content_hash(other)}"' not in shown
    assert f"reference={number_of(content_hash(other))}#recherche" in shown
    assert "Contenu compté à part" in client.get("/gestion/journal").text
    refused = post(client, f"{page}/variantes", {"variante": "x"}, page=page)
    assert refused.status_code == 422
    assert "Ce contenu n’existe pas" in refused.text


def test_the_preview_of_the_tablet_shows_its_screens_one_by_one_without_script(site: StaffSite) -> None:
    added = (
        "      - {note: before, label: Lisez ceci}\n"
        "      - {item: clarity, type: short_text, label: La clarté}\n"
        "      - {note: after, label: Au revoir}\n"
    )
    with site.database():
        digest = questionnaires.publish_source(a_source() + added, {}, actor="test").digest
    page = site.client().get(f"/gestion/questionnaires/versions/{digest}/apercu/tablet/fr").text
    screens = page.split('<section class="screen questions"')[1:]
    assert [re.findall(r'data-item="(\w+)"', screen) for screen in screens] == [
        ["courtesy"],
        ["comment"],
        ["before", "clarity", "after"],
    ]
    assert "Question 2 sur 3" in screens[1]
    assert "tablet-" in page
    assert not re.search(r'<script(?! type="application/json")|type="submit"|method="post"', page)
    website = site.client().get(f"/gestion/questionnaires/versions/{digest}/apercu/website/fr").text
    assert "Question 2 sur 3" not in website


def test_each_export_names_its_reader_and_who_may_take_it(site: StaffSite) -> None:
    with site.database():
        seed_wave(3, 0)
    page = f"/gestion/exports/{WAVE}"
    for role, own in (("referent", "les textes libres"), ("assistant", "une à une"), ("director", "")):
        shown = site.client(role).get(page).text
        assert "La direction et le comité" in shown
        assert ("le référent et son assistant" in shown) == bool(own)
        assert own in shown
    assert "ne le transmettez" not in shown
    limited = site.client().get(f"{page}?site=accueil_general&wave_id=x&name=y").text
    assert f'href="{page}/classeur?site=accueil_general"' in limited


def test_responses_of_an_unknown_edition_are_listed_apart(site: StaffSite) -> None:
    with site.database():
        seed_wave(3, 0)
        known = db.session.scalars(select(Response)).first()
        assert known is not None
        values = {name: getattr(known, name) for name in Response.__table__.columns.keys()}  # noqa: SIM118
        stray: dict[str, Any] = {
            "record_id": str(uuid.uuid4()),
            "wave_id": "inconnue",
            "flags": ["unknown_wave"],
        }
        with write_transaction() as transaction:
            transaction.add(Response(**{**values, **stray}))
    client = site.client()
    for page in ("/gestion/editions", f"/gestion/reponses/{WAVE}"):
        assert "1 réponse nomme une édition inconnue" in client.get(page).text
    listed = client.get("/gestion/reponses").text
    assert stray["record_id"][:8] in listed
    assert "inconnue</small>" in listed


def test_an_open_edition_leads_to_its_sheet_and_to_its_entry_by_keyboard(site: StaffSite) -> None:
    with site.database():
        seed_wave(3, 0)
    client = site.client("assistant")
    page = client.get(f"/gestion/editions/{WAVE}").text
    for address in ("/q/essai/fr/imprimer", f"/gestion/saisie/essai/fr?edition={WAVE}"):
        assert f'href="{address}"' in page
        assert client.get(address).status_code == 200
    assert "imprimer" not in site.client("director").get(f"/gestion/editions/{WAVE}").text


@pytest.mark.parametrize("path", ["/", "/gestion/connexion", "/nowhere"])
def test_every_page_names_an_icon_that_exists(site: StaffSite, path: str) -> None:
    client = site.client(None)
    named = re.findall(r'<link rel="icon" href="([^"]+)"', client.get(path).text)
    with client.get(named[0]) as icon:
        assert (icon.status_code, icon.mimetype) == (200, "image/svg+xml")
    assert client.get("/favicon.ico").headers["Location"] == named[0]


def test_the_home_page_says_in_sentences_what_is_missing(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
    page = site.client().get("/gestion/").text
    assert re.search(r"Point numérique\u00a0: encore \d+ réponses pour ±6 points", page)
    assert "Saisir un questionnaire papier" in page
    assert "±6 points" not in site.client("technician").get("/gestion/").text


def test_an_empty_installation_leaves_only_its_own_description_to_complete(site: StaffSite) -> None:
    for role in ROLES:
        page = site.client(role).get("/gestion/").text
        assert ("Rien à faire" in page) is (role not in ("referent", "assistant"))


@pytest.mark.parametrize("role, rows", [("referent", True), ("assistant", True), ("reader", False)])
def test_exports_give_answers_person_by_person_only_to_who_may_read_them(
    site: StaffSite, role: str, rows: bool
) -> None:
    with site.database():
        seed_wave(24, 6)
    client = site.client(role)
    assert ("reponses-internes" in client.get(f"/gestion/exports/{WAVE}").text) is rows
    with client.get(f"/gestion/exports/{WAVE}/reponses-internes") as answer:
        assert (answer.status_code == 200) is rows
    with client.get(f"/gestion/exports/{WAVE}/classeur") as workbook:
        assert workbook.status_code == 200
        assert workbook.data.startswith(b"PK")
        assert "attachment" in workbook.headers["Content-Disposition"]
        assert workbook.headers["Cache-Control"] == "no-store"


def test_the_log_shows_who_did_what(site: StaffSite) -> None:
    with site.database():
        seed_wave(1, 0)
    page = site.client("technician").get("/gestion/journal").text
    for words in ("Édition ouverte", "Questionnaire publié", "Compte créé", "Connexion"):
        assert words in page


def test_every_action_in_the_log_has_french_words() -> None:
    from survey_app.staff.audit import ACTIONS

    folder = Path(audit.__file__).parent
    written = {
        name
        for path in folder.rglob("*.py")
        for name in re.findall(r'record\(\s*transaction,\s*"([a-z-]+)"', path.read_text("utf-8"))
    }
    assert len(written) > 10
    assert written <= set(ACTIONS)


def test_the_words_of_the_pages_keep_french_typography() -> None:
    """A no-break space before « : », a narrow one before « ; ! ? » and inside « », no straight apostrophe."""
    folder = Path(audit.__file__).parent / "templates"
    wrong = [
        f"{path.name}: {text}"
        for path in [*folder.glob("staff/*.html"), *folder.glob("errors/*.html")]
        for text in re.findall(r'_\("([^"]*)"', path.read_text("utf-8"))
        if re.search(r"[^\u202f][;!?»]|«[^\u202f]|[^\u00a0]:(?!//)|\w'\w", " " + text)
    ]
    assert wrong == []


def test_an_unknown_wave_questionnaire_or_engagement_is_a_404_page(site: StaffSite) -> None:
    with site.database():
        seed_wave(1, 0)
    client = site.client()
    for address in (
        "/gestion/resultats/nope",
        f"/gestion/resultats/{WAVE}/engagement/nope",
        "/gestion/editions/nope",
        f"/gestion/editions/{WAVE}/version/nope",
        "/gestion/editions/nouvelle/nope",
        "/gestion/questionnaires/versions/nope",
        "/gestion/questionnaires/brouillons/99",
        "/gestion/exports/nope",
        f"/gestion/exports/{WAVE}/nope",
        "/gestion/reponses/nope",
    ):
        answer = client.get(address)
        assert answer.status_code == 404, address
        assert "Page introuvable" in answer.text


def test_a_new_version_is_offered_to_an_open_wave_and_taken(site: StaffSite) -> None:
    with site.database():
        seed_wave(1, 0)
        newer = questionnaires.publish_source(a_source(Votre="Notre"), {}, actor="test").digest
    client, page = site.client(), f"/gestion/editions/{WAVE}"
    assert newer in client.get(page).text
    move = f"{page}/version/{newer}"
    assert "Ce qui changerait" in client.get(move).text
    assert post(client, move).status_code == 303
    with site.database():
        wave = waves.find_wave(WAVE)
        assert wave is not None
        assert wave.questionnaire_digest == newer


def test_the_demonstration_says_so_on_every_staff_page(tmp_path: Path) -> None:
    assert "Démonstration" in StaffSite(tmp_path, demonstration=True).client().get("/gestion/").text


def test_a_new_version_without_po_files_keeps_the_translations_of_what_did_not_change(
    site: StaffSite,
) -> None:
    english = {"La courtoisie": "Courtesy", "Un mot": "A word", "Votre avis": "Your view"}
    with site.database():
        questionnaires.publish_source(a_source(), {"en": english}, actor="test")
    client = site.client()
    source = a_source(**{"item: comment": "item: message", "Un mot": "Un message"})
    draft = upload(client, QUESTIONNAIRES, "source", source).headers["Location"]
    page = client.get(draft).text
    assert "Un message" in page
    assert re.search(r"\d+ textes? sans traduction", page)
    assert "Traductions qui ne servent plus" in page
    assert "Courtesy" in client.get(f"{draft}/apercu/website/en").text
    asked = client.get(f"{draft}/publier").text
    assert re.search(r'<span lang="en" dir="ltr">English</span>[^<]*\d+ textes? sans traduction', asked)
    assert post(client, f"{draft}/publier").status_code == 303
    with site.database():
        version = questionnaires.current_version("essai")
        assert version is not None
        assert version.translations["en"]["La courtoisie"] == "Courtesy"
        assert "Un mot" not in version.translations["en"]


def test_a_draft_names_the_languages_that_it_lacks_and_what_is_missing_in_the_others(site: StaffSite) -> None:
    client = site.client()
    alone = client.get(upload(client, QUESTIONNAIRES, "source", a_source()).headers["Location"]).text
    absent = (
        r"<strong lang=\"{}\"[^>]*>[^<]*</strong>[^<]*aucune traduction\. Cette langue ne sera pas proposée\."
    )
    assert [bool(re.search(absent.format(code), alone)) for code in ("en", "ar")] == [True, True]
    with site.database():
        draft = questionnaires.save_draft(a_source(), {"en": {"La courtoisie": "Courtesy"}}, actor="test")
    partly = client.get(f"{QUESTIONNAIRES}/brouillons/{draft}").text
    assert re.search(r'<strong lang="en"[^>]*>[^<]*</strong>[^<]*\d+ textes sans traduction', partly)
    assert [bool(re.search(absent.format(code), partly)) for code in ("en", "ar")] == [False, True]


def test_the_same_text_sent_again_alone_corrects_no_translation(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {"en": {"La courtoisie": "Courtesy"}}, actor="test")
    client = site.client()
    draft = upload(client, QUESTIONNAIRES, "source", a_source()).headers["Location"]
    assert "cette version est déjà publiée" in client.get(draft).text
    assert client.get(f"{draft}/publier").headers["Location"].endswith(draft)


def test_a_language_is_only_lost_when_somebody_confirms_it(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {"en": {"La courtoisie": "Courtesy"}}, actor="test")
    client = site.client()
    source = a_source(**{"item: courtesy": "item: kindness", "La courtoisie": "L’amabilité"})
    draft = upload(client, QUESTIONNAIRES, "source", source).headers["Location"]
    assert "Cette version ne parlerait plus" in client.get(f"{draft}/publier").text
    refused = post(client, f"{draft}/publier")
    assert refused.status_code == 422
    assert "perte d’une langue\u00a0: English" in refused.text
    confirmed = {"drop_languages": "1"}
    assert post(client, f"{draft}/publier", confirmed).status_code == 303


def test_a_questionnaire_that_is_too_large_leaves_no_draft(site: StaffSite) -> None:
    client = site.client()
    answer = upload(client, QUESTIONNAIRES, "source", a_source() + "#" * 300_000)
    assert answer.status_code == 422
    assert "dépasse 256\u00a0Kio" in answer.text
    with site.database():
        assert questionnaires.drafts() == []


def test_a_tablet_is_only_offered_questionnaires_made_for_it(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(**{"[tablet, website, paper]": "[website]"}), {}, actor="test")
    client = site.client()
    assert 'name="slugs"' not in client.get("/gestion/tablettes").text
    form = {"name": "A", "site": "accueil_general", "slugs": ["essai"], "languages": ["fr"]}
    answer = post(client, "/gestion/tablettes", form)
    assert answer.status_code == 422
    assert "Choisissez au moins un questionnaire" in answer.text


def test_an_account_without_a_role_is_refused_in_plain_words(site: StaffSite) -> None:
    form = {"name": "Claire", "email": "claire@prefecture.test.fr"}
    answer = post(site.client(), "/gestion/comptes", form)
    assert answer.status_code == 422
    assert "Choisissez au moins un rôle." in answer.text


def test_the_home_page_names_the_wave_and_the_drafts_that_wait(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
        questionnaires.save_draft(a_source(Votre="Notre"), {}, actor="test")
    page = site.client().get("/gestion/").text
    assert re.search(r"Essai 2026, Point numérique\u00a0: encore \d+ réponses", page)
    assert "Le brouillon «\u202fessai\u202f» attend" in page
    assert "brouillon" not in site.client("reader").get("/gestion/").text


def test_a_filter_that_a_wave_does_not_have_is_named(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
    client, page = site.client(), f"/gestion/resultats/{WAVE}"
    assert "Filtre inconnu" not in client.get(f"{page}?mode=tablet&langue=fr").text
    told = client.get(f"{page}?mode=fax").text
    assert "Filtre inconnu dans cette édition\u00a0: Mode «\u202ffax\u202f»." in told


def test_what_misses_for_a_margin_is_only_said_of_whole_sites(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
    client, page = site.client(), f"/gestion/resultats/{WAVE}"
    assert "pour ±6 points" in client.get(page).text
    assert "pour ±6 points" not in client.get(f"{page}?mode=tablet").text
