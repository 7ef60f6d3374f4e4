"""The form of a wave: what it offers, what it keeps, and every fault at once beside its field."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest

from survey_app import questionnaires, waves
from survey_app.clock import today_in_paris
from survey_app.exports.words import day_words
from tests.page_checks import assert_good_page
from tests.survey_app.officials_site import WAVE as OFFICIALS
from tests.survey_app.officials_site import close, seed_officials
from tests.survey_app.staff_site import (
    WAVE,
    StaffSite,
    a_plan,
    a_source,
    add_responses,
    another_edition,
    post,
    seed_wave,
)


def day(number: int) -> str:
    """So many days from today."""
    return (today_in_paris() + dt.timedelta(days=number)).isoformat()


def wave_form(**changes: Any) -> dict[str, Any]:
    form: dict[str, Any] = {
        "id": WAVE,
        "title": "Essai 2026",
        "opens_on": day(-20),
        "closes_on": day(10),
        "sites": ["accueil_general", "point_numerique"],
        "modes": ["tablet", "website"],
        "languages": ["fr"],
        "headline_sites": ["accueil_general"],
        "headline_modes": ["tablet"],
        "expected_point_numerique": "1 200",
        "threshold": "75 %",
        "minimum_base": "30",
        "method": "wilson",
        "anonymity": "anonymous",
    }
    return {**form, **changes}


def test_the_referent_runs_a_wave_from_the_form_to_publication(site: StaffSite) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
    client, new = site.client(), f"/gestion/editions/nouvelle/{digest}"
    created = post(client, new, wave_form())
    assert created.status_code == 303
    page = created.headers["Location"]
    assert "En préparation" in client.get(page).text
    for act, shown in (
        ("ouvrir", "Ouverte"),
        ("clore", "Close"),
        ("rouvrir", "Ouverte"),
        ("clore", "Close"),
        ("sceller", "Scellée"),
        ("publier", "Publiée"),
    ):
        assert post(client, f"{page}/{act}").status_code == 303  # from its own page of confirmation
        assert shown in client.get(page).text
    with site.database():
        wave = waves.find_wave(WAVE)
        assert wave is not None
        plan = waves.plan_of(wave)
    assert plan.expected_visits == {"point_numerique": 1200}
    assert str(plan.threshold) == "3/4"
    assert plan.headline_modes == ("tablet",)


@pytest.mark.parametrize(
    "changes, word",
    [
        ({"opens_on": "demain"}, "Le début est une date"),
        ({"threshold": "beaucoup"}, "Le seuil est une fraction"),
        ({"threshold": "3/0"}, "Le seuil est une fraction"),
        ({"population": "-3"}, "La population est un nombre entier"),
        ({"headline_sites": []}, "Le chiffre principal"),
        ({"id": "../etc"}, "Le code tient"),
    ],
)
def test_a_wave_form_with_a_fault_comes_back_filled_in(
    site: StaffSite, changes: dict[str, Any], word: str
) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
    answer = post(
        site.client(), f"/gestion/editions/nouvelle/{digest}", wave_form(title="Mon titre", **changes)
    )
    assert answer.status_code == 422
    assert word in answer.text
    assert "Mon titre" in answer.text


def test_a_wave_in_preparation_is_changed_in_its_form(site: StaffSite) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
        waves.create_wave(a_plan(digest), actor="test")
    client, page = site.client(), f"/gestion/editions/{WAVE}/modifier"
    assert "Essai 2026" in client.get(page).text
    assert post(client, page, wave_form(title="Autre titre")).status_code == 303
    assert "Autre titre" in client.get(f"/gestion/editions/{WAVE}").text
    post(client, f"/gestion/editions/{WAVE}/ouvrir", page=f"/gestion/editions/{WAVE}")
    assert client.get(page).status_code == 404


def test_a_new_wave_is_proposed_a_code_and_a_title_that_are_free(site: StaffSite) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
    client, new = site.client(), f"/gestion/editions/nouvelle/{digest}"
    first = re.search(r'name="id"[^>]*value="([^"]+)"', client.get(new).text)
    assert first
    assert post(client, new, wave_form(id=first[1])).status_code == 303
    page = client.get(new).text
    assert f'value="{first[1]}-2"' in page
    assert "(2)" in page


def test_dates_that_cross_those_of_another_wave_are_told_when_it_is_prepared(site: StaffSite) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
    client, new = site.client(), f"/gestion/editions/nouvelle/{digest}"
    first = post(client, new, wave_form()).headers["Location"]
    assert "croisent" not in client.get(first).text
    crossing = wave_form(id="deuxieme", title="Deuxième", opens_on=day(10), closes_on=day(40))
    second = post(client, new, crossing).headers["Location"]
    assert "Ses dates croisent celles de «\u202fEssai 2026\u202f»" in client.get(second).text
    apart = wave_form(id="troisieme", opens_on=day(60), closes_on=day(90))
    third = post(client, new, apart).headers["Location"]
    assert "croisent" not in client.get(third).text


@pytest.mark.parametrize(
    "changes, word",
    [
        ({"anonymity": "maybe"}, "Choisissez un anonymat"),
        ({"languages": ["fr", "zz"]}, "Choisissez des langues du questionnaire"),
        ({"id": "nouvelle"}, "Le code tient"),
        ({"opens_on": "0001-01-01"}, "à partir de 2000"),
        ({"title": "x" * 300}, "Le titre tient en 200"),
    ],
)
def test_a_wave_takes_only_what_its_form_offers(site: StaffSite, changes: dict[str, Any], word: str) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
    answer = post(site.client(), f"/gestion/editions/nouvelle/{digest}", wave_form(**changes))
    assert answer.status_code == 422
    assert word in answer.text


EVERY_FAULT = {
    "title": ("", "Donnez un titre."),
    "id": ("Pas Bon", "Le code tient en minuscules, chiffres et tirets (usagers-2026)."),
    "opens_on": ("demain", "Le début est une date, comme 2026-10-01."),
    "closes_on": ("1999-12-01", "L’année de la fin s’écrit en quatre chiffres, à partir de 2000."),
    "sites": ([], "Choisissez des sites du questionnaire."),
    "modes": (["fax"], "Choisissez des modes du questionnaire."),
    "languages": ([], "Le français fait partie des langues."),
    "expected_point_numerique": (
        "beaucoup",
        "Le nombre de visites attendues (Point numérique) est un nombre entier, ou reste vide.",
    ),
    "headline_sites": ([], "Le chiffre principal compte au moins un site, parmi ceux de l’édition."),
    "headline_modes": ([], "Le chiffre principal compte au moins un mode, parmi ceux de l’édition."),
    "threshold": ("5/4", "Le seuil est une fraction entre 0 et 1, comme 3/4."),
    "minimum_base": ("0", "La base minimale vaut au moins 1."),
    "population": ("-3", "La population est un nombre entier, ou reste vide."),
    "method": ("wald", "Choisissez une méthode de la liste."),
    "anonymity": ("maybe", "Choisissez un anonymat de la liste."),
}
"""In the order of the form, a value that the rule of a field refuses, and what is said of it."""


@pytest.fixture
def all_wrong(site: StaffSite) -> str:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
    form = wave_form(**{field: value for field, (value, _) in EVERY_FAULT.items()})
    answer = post(site.client(), f"/gestion/editions/nouvelle/{digest}", form)
    assert answer.status_code == 422
    return unescape(answer.text)


def test_every_fault_is_told_at_once_on_top_with_a_link_to_its_field(all_wrong: str) -> None:
    told = re.findall(r'<li><a href="#f-(\w+)">([^<]+)</a></li>', all_wrong)
    assert told == [(field, sentence) for field, (_, sentence) in EVERY_FAULT.items()]
    assert f"{len(EVERY_FAULT)} points sont à corriger" in all_wrong
    ids = set(re.findall(r' id="(f-\w+)"', all_wrong))
    assert {f"f-{field}" for field in EVERY_FAULT} <= ids
    assert_good_page(all_wrong)


@pytest.mark.parametrize("field", EVERY_FAULT)
def test_a_fault_stands_beside_its_field_and_is_named_by_it(all_wrong: str, field: str) -> None:
    beside = re.search(rf'id="e-{field}">([^<]+)</span>', all_wrong)
    assert beside
    assert EVERY_FAULT[field][1] in beside[1]
    assert re.search(rf'aria-describedby="[^"]*\be-{field}"', all_wrong)
    assert re.search(rf'<(?:input|select)[^>]* (?:id="f-|name="){field}"[^>]* aria-invalid="true"', all_wrong)


def test_the_browser_leaves_the_checks_to_the_server_and_the_summary_takes_the_focus(all_wrong: str) -> None:
    assert '<form method="post" novalidate>' in all_wrong
    assert re.search(r'role="group" aria-labelledby="summary" tabindex="-1" autofocus', all_wrong)
    assert re.search(r"<title>Erreur\u00a0: ", all_wrong)


def test_what_was_typed_and_ticked_is_kept(site: StaffSite, all_wrong: str) -> None:
    for field in ("id", "opens_on", "closes_on", "expected_point_numerique", "threshold", "population"):
        assert f'value="{EVERY_FAULT[field][0]}"' in all_wrong
    assert re.findall(r'name="(\w+)" value="\w+" checked', all_wrong) == []
    with site.database():
        digest = questionnaires.versions()[0].digest
    page = post(site.client(), f"/gestion/editions/nouvelle/{digest}", wave_form(title="")).text
    ticked = re.findall(r'name="(\w+)" value="(\w+)" checked', page)
    given = ("sites", "modes", "languages", "headline_sites", "headline_modes")
    assert ticked == [(name, value) for name in given for value in wave_form()[name]]


def test_a_threshold_in_any_usual_writing_is_read(site: StaffSite) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
    client, new = site.client(), f"/gestion/editions/nouvelle/{digest}"
    for number, text in enumerate(("3/4", "75 %", "75\u202f%", "0,75", "0.75")):
        code = f"essai-{number}00"
        assert post(client, new, wave_form(id=code, threshold=text)).status_code == 303
        with site.database():
            wave = waves.find_wave(code)
            assert wave is not None
            assert (wave.threshold_numerator, wave.threshold_denominator) == (3, 4)


def test_a_code_that_is_taken_is_told_with_the_other_faults(site: StaffSite) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
        waves.create_wave(a_plan(digest), actor="test")
    answer = post(site.client(), f"/gestion/editions/nouvelle/{digest}", wave_form(title=""))
    assert "est déjà pris." in answer.text
    assert "Donnez un titre." in answer.text


PAGE = f"/gestion/editions/{WAVE}"


def a_wave(site: StaffSite, *steps: str, **plan: Any) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
        declared = a_plan(digest, **plan)
        waves.create_wave(declared, actor="test")
        for step in steps:
            waves.take_step(step, WAVE, actor="test", today=declared.closes_on)


@pytest.mark.parametrize(
    "act, steps, told",
    [
        ("ouvrir", (), ("De maintenant au ", "toute personne qui ouvre l’adresse", "Une fois ouverte")),
        ("clore", ("open",), ("Dès maintenant", "Les tablettes cessent", "Vous pourrez la rouvrir")),
        ("rouvrir", ("open", "close"), ("De maintenant au ", "restent signalées et non comptées")),
        ("sceller", ("open", "close"), ("ne se rouvre pas",)),
        ("publier", ("open", "close", "seal"), ("officiels",)),
    ],
)
def test_each_step_is_confirmed_on_a_page_that_says_what_starts_or_stops_and_for_whom(
    site: StaffSite, act: str, steps: tuple[str, ...], told: tuple[str, ...]
) -> None:
    a_wave(site, *steps, modes=("tablet", "website"), headline_modes=("tablet",))
    client = site.client()
    assert f'href="{PAGE}/{act}"' in client.get(PAGE).text
    page = client.get(f"{PAGE}/{act}").text
    assert [word for word in told if word not in page] == []
    assert "feuilles" not in page, "on paper nothing starts or stops: this edition has none"
    assert_good_page(page)
    with site.database():
        wave = waves.find_wave(WAVE)
        assert wave is not None
        assert wave.state == (waves.STEPS[steps[-1]].after if steps else waves.DRAFT)


def test_a_step_that_cannot_be_taken_is_refused_before_it_is_confirmed(site: StaffSite) -> None:
    a_wave(site, opens_on=dt.date(2025, 3, 1), closes_on=dt.date(2025, 3, 31))
    client = site.client()
    for answer in (client.get(f"{PAGE}/ouvrir"), post(client, f"{PAGE}/ouvrir", page=PAGE)):
        assert answer.status_code == 422
        assert "Son dernier jour est passé\u00a0: changez d’abord ses dates." in answer.text


def test_an_edition_that_begins_later_is_not_said_to_receive_answers_now(site: StaffSite) -> None:
    first = today_in_paris() + dt.timedelta(days=6)
    a_wave(site, opens_on=first)
    client = site.client()
    assert f"Du {day_words(first)} au " in client.get(f"{PAGE}/ouvrir").text
    post(client, f"{PAGE}/ouvrir")
    page = client.get(PAGE).text
    assert f"L’édition est ouverte\u00a0: elle recevra des réponses à partir du {day_words(first)}." in page
    assert "elle reçoit des réponses" not in page


def test_an_edition_with_both_dates_in_the_past_is_a_fault_of_the_form(site: StaffSite) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
    client, new = site.client(), f"/gestion/editions/nouvelle/{digest}"
    answer = post(client, new, wave_form(opens_on=day(-30), closes_on=day(-2)))
    assert answer.status_code == 422
    assert "Ces dates sont passées\u00a0: la fin est aujourd’hui ou plus tard." in answer.text
    assert re.search(r'id="f-closes_on"[^>]* aria-invalid="true"', answer.text)
    assert post(client, new, wave_form(opens_on=day(-30), closes_on=day(0))).status_code == 303


def test_only_the_dates_of_a_closed_edition_without_answers_are_changed_in_its_form(site: StaffSite) -> None:
    a_wave(
        site, "open", "close", population=5000, opens_on=dt.date(2025, 3, 1), closes_on=dt.date(2025, 3, 31)
    )
    client, form = site.client(), f"{PAGE}/modifier"
    assert f'href="{form}"' in client.get(PAGE).text
    page = client.get(form).text
    assert 'name="opens_on"' in page
    assert 'name="threshold"' not in page
    assert_good_page(page)
    sent = wave_form(title="Autre", minimum_base="1", threshold="1/2")
    assert post(client, form, sent).status_code == 303
    with site.database():
        wave = waves.find_wave(WAVE)
        assert wave is not None
        assert wave.opens_on.isoformat() == sent["opens_on"]
        assert (wave.title, wave.minimum_base, wave.threshold_numerator, wave.population) == (
            "Essai 2026",
            30,
            3,
            5000,
        )


def test_the_dates_of_an_edition_with_answers_are_not_offered(site: StaffSite) -> None:
    a_wave(site, "open", "close")
    with site.database():
        wave = waves.find_wave(WAVE)
        assert wave is not None
        add_responses(wave.questionnaire_digest, 1, 0, site="accueil_general")
    client, form = site.client(), f"{PAGE}/modifier"
    assert f'href="{form}"' not in client.get(PAGE).text
    assert client.get(form).status_code == 404


def test_the_referent_deletes_an_edition_in_preparation_after_a_page_that_says_so(site: StaffSite) -> None:
    with site.database():
        seed_wave(1, 0)
        another_edition()
    client, page = site.client(), "/gestion/editions/autre-2026"
    assert f'href="{page}/supprimer"' in client.get(page).text
    assert "Elle n’a reçu aucune réponse." in client.get(f"{page}/supprimer").text
    answer = post(client, f"{page}/supprimer")
    assert (answer.status_code, answer.location) == (303, "/gestion/editions")
    assert "L’édition est supprimée." in client.get("/gestion/editions").text
    assert client.get(page).status_code == 404
    assert "Édition supprimée" in client.get("/gestion/journal").text
    assert "supprimer" not in client.get(f"/gestion/editions/{WAVE}").text
    assert client.get(f"/gestion/editions/{WAVE}/supprimer").status_code == 422


def test_an_edition_by_personal_link_starts_with_nothing_else_ticked(site: StaffSite) -> None:
    """On the website, anybody could answer in the place of an official."""
    source = a_source(**{"website, paper]": "website, paper, personal_link]"})
    with site.database():
        by_link = questionnaires.publish_source(source, {}, actor="test").digest
    shown = site.client().get(f"/gestion/editions/nouvelle/{by_link}").text
    for name in ("modes", "headline_modes"):
        assert re.findall(rf'name="{name}" value="([^"]+)" checked', shown) == ["personal_link"]
    assert re.findall(r'name="languages" value="([^"]+)" checked', shown) == ["fr"]


def test_an_edition_without_tablets_speaks_of_none_and_never_offers_what_cannot_be(site: StaffSite) -> None:
    with site.database():
        seed_officials()
        close()
    client, page = site.client(), f"/gestion/editions/{OFFICIALS}"
    for path, words in (
        (page, "Scellez-la"),
        (f"{page}/sceller", "ne se rouvre pas"),
        ("/gestion/", "scellez-la."),
    ):
        shown = client.get(path).text
        assert words in shown
        assert "tablettes" not in shown.partition(words)[0][-400:] + shown.partition(words)[2][:400], path
        assert "Rouvrir" not in shown
    with site.database():
        waves.seal_wave(OFFICIALS, actor="test")
        waves.publish_wave(OFFICIALS, actor="test")
    shown = client.get(page).text
    assert "l’édition est terminée" not in shown
    assert "Préparer la lettre de résultats" in shown


def test_an_edition_with_tablets_still_waits_for_them_and_can_be_opened_again(site: StaffSite) -> None:
    with site.database():
        seed_wave()
        waves.close_wave(WAVE, actor="test")
    client, page = site.client(), f"/gestion/editions/{WAVE}"
    assert "Rouvrir l’édition" in client.get(page).text
    for path in (page, f"{page}/sceller"):
        assert "toutes les tablettes" in client.get(path).text
