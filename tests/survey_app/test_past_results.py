"""Figures of past years, imported from counts: all or nothing, every fault by its line."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from analysis.notices import NOT_MEASURED, NOT_MEASURED_NON_RESPONSE
from survey_app import past_results, questionnaires
from survey_app.database import db
from survey_app.earlier_years import imported_rate
from survey_app.models import PastResult
from survey_app.past_counts import PastResultsError, read_counts
from survey_app.reports import report_of
from survey_app.waves import find_wave
from tests.survey_app.staff_site import WAVE, StaffSite, a_source, post, seed_wave, some_commitment, upload

IMPORT = "/gestion/annees-passees"


def test_a_past_year_is_imported_shown_replaced_and_taken_out(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
    client = site.client()
    text = "commitment;item;favourable;base;population\ninformation;;140;180;256\n"
    form = {"survey": "essai", "year": "2024"}
    assert upload(client, IMPORT, "counts", "\ufeff" + text, **form).status_code == 303
    assert "77,8" in client.get(IMPORT).text
    other = text.replace("140", "100")
    told = upload(client, IMPORT, "counts", other, **form)
    assert told.status_code == 422
    assert "2024 existe déjà" in told.text
    assert 'name="replace"' in told.text
    assert "77,8" in client.get(IMPORT).text
    assert upload(client, IMPORT, "counts", other, **form, replace="1").status_code == 303
    assert "1 ligne importée pour 2024, enquête «\u202fVotre avis\u202f»." in client.get(IMPORT).text
    with site.database():
        found = db.session.scalars(select(PastResult)).one()
        assert (found.favourable, found.base, found.population, found.item) == (100, 180, 256, None)
        survey_id = found.survey_id
    assert post(client, f"{IMPORT}/{survey_id}/2024/supprimer", page=IMPORT).status_code == 303
    with site.database():
        assert past_results.past_results() == []


def test_a_form_without_a_file_asks_for_one_and_says_all_else_that_is_missing(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
    client = site.client()
    for form in ({"year": "2024"}, {"year": "24", "counts": (io.BytesIO(b""), "")}):
        answer = post(client, IMPORT, {"survey": "essai", **form})
        assert answer.status_code == 422
        assert "Choisissez le fichier CSV" in answer.text
        assert ("L’année s’écrit en quatre chiffres" in answer.text) == (form["year"] == "24")


def test_every_fault_of_an_import_is_told_by_its_line_and_nothing_is_kept(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
    text = "commitment,item,favourable,base\n,,1,2\naccueil,,9,2\naccueil,,x,3\nb,,1\n"
    text += "information,,1,2\ninformation,,1,2\n"
    answer = upload(site.client(), IMPORT, "counts", text, survey="essai", year="2024")
    assert answer.status_code == 422
    assert [f"Ligne {n}" in answer.text for n in range(2, 8)] == [True, True, True, True, False, True]
    with site.database():
        assert past_results.past_results() == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "commitment,item,favourable,base\n",
        "commitment,item,favourable,base\na,,1,1e3\n",
        "commitment,item,favourable,base\na,,9999999999999999999999,1\n",
        "commitment,item,favourable,base,x\na,,1,2,3\n",
        "commitment,item,favourable,base,base\na,,1,2,3\n",
        "commitment,item,favourable,base\na,,,\n",
    ],
)
def test_a_file_that_is_not_counts_is_refused(text: str) -> None:
    with pytest.raises(PastResultsError):
        read_counts(text)


def test_the_answers_of_a_total_are_not_taken_for_people(site: StaffSite) -> None:
    """40 people answered two questions: 80 answers, of a population of 50 people."""
    code, client = some_commitment(), site.client()
    second = (
        "      - {item: clarity, type: satisfaction, scale: satisfaction_4, label: La clarté, "
        f"commitment: {code}}}\n      - {{item: comment"
    )
    with site.database():
        questionnaires.publish_source(a_source().replace("      - {item: comment", second), {}, actor="test")
    head, form = "commitment,item,favourable,base,population\n", {"survey": "essai", "year": "2024"}
    for line in (f"{code},courtesy,60,80,50", f"{code},,60,80,39"):
        told = upload(client, IMPORT, "counts", f"{head}{line}\n", **form)
        assert "est plus petite que la base (80)" in told.text
    assert upload(client, IMPORT, "counts", f"{head}{code},,60,80,50\n", **form).status_code == 303
    assert "75,0" in client.get(IMPORT).text
    with site.database():
        (past,) = db.session.scalars(select(PastResult))
        rate = imported_rate(past, past_results.questions_of("essai")[code])
        assert (rate.respondents, rate.population) == (40, 50)
        assert imported_rate(past, 1).population is None


def test_the_year_of_an_import_must_be_one(site: StaffSite) -> None:
    for year in ("", "26", "2999"):
        answer = upload(
            site.client(), IMPORT, "counts", "commitment,item,favourable,base\na,,1,2\n", year=year
        )
        assert answer.status_code == 422


def test_unknown_engagements_and_questions_are_named_with_their_line(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
    text = (
        "commitment;item;favourable;base\ninformation;courtesy;1;2\ninformatoin;;1;2\ninformation;nope;1;2\n"
    )
    answer = upload(site.client(), IMPORT, "counts", text, survey="essai", year="2024")
    assert answer.status_code == 422
    assert "Ligne 2" not in answer.text
    unknown = "Ligne 3\u00a0: l’engagement «\u202finformatoin\u202f» est inconnu de cette enquête."
    assert f"{unknown} Vouliez-vous dire «\u202finformation\u202f»\u202f?" in answer.text
    assert "Ligne 4\u00a0: la question «\u202fnope\u202f» est inconnue de cette enquête." in answer.text
    with site.database():
        assert past_results.past_results() == []


def test_wrong_names_are_told_with_wrong_numbers_in_one_go(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
    text = "commitment,item,favourable,base\ninformatoin,nope,x,2\ninformation,courtesy,3,2\n"
    answer = upload(site.client(), IMPORT, "counts", text, survey="essai", year="2024")
    told = ("informatoin", "nope", "«\u202fx\u202f» n’est pas un nombre", "3 réponses favorables")
    assert [words in answer.text for words in told] == [True] * 4


def test_a_file_saved_by_excel_is_read_and_shown_with_titles(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
    text = "commitment;item;favourable;base\ninformation;courtesy;150;180\n"
    client = site.client()
    saved = text.encode("cp1252") + "\xe9t\xe9;;1;2\n".encode("cp1252")
    named = upload(client, IMPORT, "counts", saved, survey="essai", year="2024")
    assert "«\u202fété\u202f» est inconnu" in named.text
    assert upload(client, IMPORT, "counts", text, survey="essai", year="2024").status_code == 303
    page = client.get(IMPORT).text
    assert re.search(r'<th scope="row">La courtoisie<small>[^<]+</small>', page)
    assert "courtesy" not in page


def test_an_imported_year_says_the_level_of_its_intervals_and_what_they_do_not_measure(
    site: StaffSite,
) -> None:
    text = "commitment,item,favourable,base\ninformation,,140,180\n"
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
        past_results.import_counts("essai", 2024, "2024", text, source="x", actor="test")
    page = site.client().get(IMPORT).text
    assert "Intervalle à 95\u202f%" in page
    assert NOT_MEASURED in page
    assert NOT_MEASURED_NON_RESPONSE not in page
    of_officials = {
        "questionnaire: essai": "questionnaire: autre",
        "audience: users": "audience: elected_officials",
    }
    with site.database():
        questionnaires.publish_source(a_source(**of_officials), {}, actor="test")
        past_results.import_counts("autre", 2024, "2024", text, source="x", actor="test")
    assert NOT_MEASURED_NON_RESPONSE in site.client().get(IMPORT).text


def test_the_survey_is_recognised_by_the_codes_of_the_file_or_asked_for(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
        other = a_source(
            **{"questionnaire: essai": "questionnaire: autre", "item: courtesy": "item: politeness"}
        )
        questionnaires.publish_source(
            other.replace("title: Votre avis", "title: Un autre avis"), {}, actor="test"
        )
    client, head = site.client(), "commitment;item;favourable;base\n"
    for item, slug in (("courtesy", "essai"), ("politeness", "autre")):
        text = f"{head}information;{item};140;180\n"
        assert upload(client, IMPORT, "counts", text, year="2024").status_code == 303
        with site.database():
            assert [s.slug for s, past in past_results.past_results() if past.item == item] == [slug]
    shared = f"{head}information;;140;180\n"
    told = upload(client, IMPORT, "counts", shared, year="2023")
    assert told.status_code == 422
    assert "Choisissez l’enquête\u00a0: plusieurs enquêtes connaissent ces codes" in told.text
    assert upload(client, IMPORT, "counts", shared, year="2023", survey="autre").status_code == 303
    unknown = upload(client, IMPORT, "counts", f"{head}nope;;1;2\n", year="2023")
    assert "aucune enquête ne connaît ces codes" in unknown.text


def test_the_file_is_asked_for_before_anything_else(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
        text = f"commitment,item,favourable,base\n{some_commitment()},,140,180\n"
        past_results.import_counts("", 2024, "2024", text, source="2024.csv", actor="test")
    before, _, form = site.client().get(IMPORT).text.partition('enctype="multipart/form-data"')
    assert "2024" not in before
    fields = re.findall(r'<(?:input|select) id="f-(\w+)"', form)
    assert fields == ["counts", "year", "title"], "and no survey to choose where there is one"


def test_the_template_of_a_survey_comes_back_filled_in(site: StaffSite) -> None:
    with site.database():
        questionnaires.publish_source(a_source(), {}, actor="test")
    client = site.client()
    with client.get(f"{IMPORT}/modele/essai") as answer:
        assert answer.headers["Content-Disposition"].endswith("modele-essai.csv")
        empty = answer.data.decode("utf-8-sig")
    total, question = empty.splitlines()[1:]
    assert ";information;(total de l’engagement);;" in total
    assert ";information;La courtoisie;courtesy;" in question
    refused = upload(client, IMPORT, "counts", empty, year="2024")
    assert "aucune ligne de chiffres" in refused.text
    for filled, item in ((total, None), (question, "courtesy")):
        text = empty.replace(filled, filled.removesuffix(";;;") + ";140;180;")
        year = "2023" if item else "2024"
        assert upload(client, IMPORT, "counts", text, year=year).status_code == 303
        with site.database():
            found = [past for _, past in past_results.past_results() if str(past.year) == year]
        assert [(past.item, past.favourable, past.base) for past in found] == [(item, 140, 180)]
    assert client.get(f"{IMPORT}/modele/nope").status_code == 404


def test_totals_alone_need_no_column_of_questions() -> None:
    ((line, count),) = read_counts("commitment;favourable;base\ninformation;140;180\n")
    assert (line, count.commitment, count.item, count.base) == (2, "information", None, 180)


def test_a_code_used_twice_is_told_by_the_line_where_its_row_begins() -> None:
    rows = 'a,"un\nautre",1,2\n\na,x,1,2\n'
    with pytest.raises(PastResultsError) as told:
        read_counts(f"commitment,item,favourable,base\n{rows}{rows}")
    assert told.value.faults == (
        "Ligne 6\u00a0: «\u202fun\nautre\u202f» est déjà à la ligne 2.",
        "Ligne 9\u00a0: «\u202fx\u202f» est déjà à la ligne 5.",
    )


def test_an_empty_cell_is_said_to_be_missing() -> None:
    with pytest.raises(PastResultsError) as told:
        read_counts("commitment,item,favourable,base\na,,,2\n")
    assert told.value.faults == ("Ligne 2, «\u202ffavourable\u202f»\u00a0: la valeur manque.",)


def as_french_excel_saves(content: bytes) -> bytes:
    """A file of commas opened, and saved as « CSV UTF-8 (délimité par des points-virgules) »."""
    return b"\xef\xbb\xbf" + content.replace(b",", b";")


@pytest.mark.parametrize(
    "export, resaved",
    [("comptes", bytes), ("comptes", as_french_excel_saves), ("resultats", bytes)],
    ids=["open data", "French Excel", "French words"],
)
def test_what_our_exports_write_is_imported_with_equal_figures(
    site: StaffSite, export: str, resaved: Callable[[bytes], bytes]
) -> None:
    with site.database():
        seed_wave(140, 40)
    client = site.client()
    with client.get(f"/gestion/exports/{WAVE}/{export}") as answer:
        content = resaved(answer.data)
    assert upload(client, IMPORT, "counts", content, survey="essai", year="2024").status_code == 303
    with site.database():
        wave = find_wave(WAVE)
        assert wave is not None
        (result,) = report_of(wave).commitments
        expected = {(result.commitment, item.item, item.favourable, item.base) for item in result.items}
        if export == "resultats":
            expected.add((result.commitment, None, result.favourable, result.base))
        found = [past for _, past in past_results.past_results()]
    assert {(past.commitment, past.item, past.favourable, past.base) for past in found} == expected
    assert expected >= {(result.commitment, "courtesy", 140, 180)}
    assert "77,8" in client.get(IMPORT).text


def test_the_population_of_an_export_comes_back_with_its_import(site: StaffSite) -> None:
    with site.database():
        seed_wave(140, 40, population=256, headline_modes=("tablet", "website", "paper"))
    client = site.client()
    with client.get(f"/gestion/exports/{WAVE}/comptes") as answer:
        upload(client, IMPORT, "counts", answer.data, survey="essai", year="2024")
    with site.database():
        assert [past.population for _, past in past_results.past_results()] == [256]


def test_the_results_of_the_former_version_without_settings_are_still_imported() -> None:
    old = (
        "Engagement;Code de l’engagement;Question;Code de la question;Favorables;Base;Taux;Borne basse;"
        "Borne haute;Axe d’amélioration;Ce qu’on peut dire\r\n"
        "Informer;information;La clarté;clarity;9;12;0,75;0,5;0,9;non;autre\r\n"
    )
    ((line, count),) = read_counts(old)
    assert (line, count.item, count.favourable, count.base) == (2, "clarity", 9, 12)


def test_s6_lines_that_our_export_hides_are_left_out_and_a_file_of_nothing_else_is_refused(
    site: StaffSite,
) -> None:
    with site.database():
        seed_wave(3, 1)
    client = site.client()
    with client.get(f"/gestion/exports/{WAVE}/resultats") as answer:
        hidden = answer.data.decode()
    told = upload(client, IMPORT, "counts", hidden, survey="essai", year="2024")
    assert told.status_code == 422
    assert "Tous les chiffres de ce fichier sont masqués." in told.text
    title, code, *_ = hidden.splitlines()[1].split(";")
    rest = ";" * hidden.splitlines()[0].count(";", hidden.index("Ce qu’on peut dire"))
    more = f"{hidden.strip()}\r\n{title};{code};La clarté;courtesy;9;12;0,75;0,5;0,9;non;autre{rest}\r\n"
    assert [(line, count.base) for line, count in read_counts(more.replace(";courtesy;;", ";other;;"))] == [
        (4, 12)
    ]


def test_an_unknown_rule_and_a_broken_line_are_named() -> None:
    with pytest.raises(PastResultsError) as told:
        read_counts("commitment,item,favourable,base,rule\na,,1,2,mean\n\nb,,3,2,pooled\n")
    rule, counts = told.value.faults
    assert rule.startswith("Ligne 2\u00a0: règle inconnue «\u202fmean\u202f»")
    assert counts.startswith("Ligne 4")
    with pytest.raises(PastResultsError):
        read_counts('commitment,item,favourable,base\n"' + "a" * 200_000 + '",,1,2\n')
