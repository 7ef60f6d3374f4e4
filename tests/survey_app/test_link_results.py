"""What a personal link opens once published: one's own stratum beside the whole, no small cell."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from form_definitions import LANGUAGES
from survey_app.clock import today_in_paris
from survey_app.link_results import are_open, results_page
from survey_app.strata import frame_of
from survey_app.waves import find_wave, publish_wave, seal_wave
from tests.survey_app.officials_site import (
    BRESSUIRE,
    NIORT,
    PARTHENAY,
    WAVE,
    add_answers,
    close,
    seed_officials,
)
from tests.survey_app.staff_site import StaffSite

Answers = dict[str, tuple[int, int]]
USUAL: Answers = {NIORT: (68, 22), PARTHENAY: (40, 10), BRESSUIRE: (32, 8)}


def publish(site: StaffSite, answers: Answers, **changes: object) -> None:
    with site.database():
        seed_officials(**changes)  # type: ignore[arg-type]
        for stratum, (good, bad) in answers.items():
            add_answers(good, bad, stratum)
        close(publish=True)


def page(site: StaffSite, stratum: str, language: str = "fr") -> str:
    with site.app.test_request_context("/r/"):
        wave = find_wave(WAVE)
        assert wave is not None
        return results_page(wave, stratum, language)


def cells(text: str) -> dict[str, str]:
    """Place → what its line says, markup and drawings left out."""
    bare = re.sub(r"<svg.*?</svg>", "", text, flags=re.S)
    lines = re.findall(r'<tr class="(?:own|whole)">(.*?)</tr>', bare, flags=re.S)
    words = (re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", line)).strip() for line in lines)
    return {line.split()[0]: line for line in words}


def test_ones_own_stratum_stands_beside_the_department(site: StaffSite) -> None:
    publish(site, USUAL)
    lines = cells(page(site, NIORT))
    assert lines == {"Niort": "Niort 75,6\u202f% 90", "Deux-Sèvres": "Deux-Sèvres 77,8\u202f% 180"}
    assert "Parthenay" not in page(site, NIORT)
    assert "180 réponses pour 256 personnes interrogées." in page(site, NIORT)


def test_a_link_opens_nothing_before_the_publication_nor_after_the_last_day(site: StaffSite) -> None:
    with site.database():
        seed_officials()
        add_answers(20, 5, NIORT)

        def opens(day: dt.date) -> bool:
            wave, frame = find_wave(WAVE), frame_of(WAVE)
            assert wave is not None
            assert frame is not None
            return are_open(wave, frame, day)

        assert not opens(dt.date(2026, 12, 1))
        close()
        seal_wave(WAVE, actor="test")
        assert not opens(dt.date(2026, 12, 1))
        publish_wave(WAVE, actor="test")
        assert opens(dt.date(2027, 6, 30))
        assert not opens(dt.date(2027, 7, 1))


@pytest.mark.abuse("AC-23")
def test_a_small_stratum_is_hidden_with_what_would_give_it_away(site: StaffSite) -> None:
    """The department less Niort and Parthenay would be Bressuire."""
    publish(site, {**USUAL, BRESSUIRE: (6, 2)})
    assert "Masqué" in cells(page(site, BRESSUIRE))["Bressuire"]
    assert "Masqué" in cells(page(site, PARTHENAY))["Parthenay"]
    assert cells(page(site, NIORT))["Niort"] == "Niort 75,6\u202f% 90"
    drawings = re.findall(r"<svg.*?</svg>", page(site, BRESSUIRE), flags=re.S)
    assert not any("75,0" in drawing or "6/8" in drawing for drawing in drawings)


@pytest.mark.abuse("AC-18")
def test_everybody_of_a_stratum_reads_the_same_page(site: StaffSite) -> None:
    publish(site, USUAL)
    assert page(site, NIORT) == page(site, NIORT)
    assert "mairie" not in page(site, NIORT)
    assert "Martin" not in page(site, NIORT)


def test_a_merged_stratum_is_read_by_both(site: StaffSite) -> None:
    publish(site, {NIORT: (68, 22), PARTHENAY: (40, 10)}, merged={BRESSUIRE: PARTHENAY})
    assert page(site, BRESSUIRE) == page(site, PARTHENAY)
    assert "Parthenay et Bressuire" in page(site, BRESSUIRE)


def a_year_before(site: StaffSite, answers: Answers) -> None:
    with site.database():
        today = today_in_paris()
        began, ends = today - dt.timedelta(380), today + dt.timedelta(1)
        seed_officials(wave_id="elus-2025", title="Élus 2025", opens_on=began, closes_on=ends)
        for stratum, (good, bad) in answers.items():
            add_answers(good, bad, stratum, wave_id="elus-2025")
        close("elus-2025")


def test_last_year_stands_beside_this_year_with_the_difference_of_the_whole(site: StaffSite) -> None:
    a_year_before(site, {NIORT: (30, 50), PARTHENAY: (20, 25), BRESSUIRE: (20, 15)})
    publish(site, USUAL)
    year = today_in_paris().year - 1
    lines = cells(page(site, NIORT))
    assert f"{year}\u00a0: 37,5\u202f%" in lines["Niort"]
    assert "points" not in lines["Niort"]
    assert "+34,0 points, écart sûr" in lines["Deux-Sèvres"]


@pytest.mark.abuse("AC-23")
def test_a_small_figure_of_last_year_stays_hidden_too(site: StaffSite) -> None:
    a_year_before(site, {NIORT: (30, 50), PARTHENAY: (20, 25), BRESSUIRE: (4, 2)})
    publish(site, USUAL)
    year = str(today_in_paris().year - 1)
    assert year not in cells(page(site, BRESSUIRE))["Bressuire"]
    assert year in cells(page(site, BRESSUIRE))["Deux-Sèvres"]


def test_where_all_answered_there_is_no_interval(site: StaffSite) -> None:
    publish(site, {NIORT: (15, 5), PARTHENAY: (15, 5)}, populations={NIORT: 20, PARTHENAY: 40})
    drawn = re.findall(r'<tr class="own">.*?</tr>', page(site, NIORT), flags=re.S)
    assert "interval" not in drawn[0]
    assert "interval" in page(site, PARTHENAY).partition('<tr class="own">')[2].partition("</tr>")[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_every_language_and_shows_the_same_figures(site: StaffSite, language: str) -> None:
    publish(site, USUAL)
    text = page(site, NIORT, language)
    assert f'lang="{language}"' in text
    assert ("75.6" if language == "en" else "75,6") in text
    assert ("Les résultats de l’enquête" in text) == (language == "fr")


def test_every_drawing_has_a_name_and_says_its_figures(site: StaffSite) -> None:
    publish(site, USUAL)
    text = page(site, NIORT)
    drawings = re.findall(r'<svg role="img" aria-labelledby="(\S+) (\S+)"', text)
    assert len(drawings) == 2
    for names in drawings:
        assert all(text.count(f'id="{name}"') == 1 for name in names)
    assert "Taux 75,6\u202f%, intervalle de 70,2\u202f% à 79,4\u202f%." in text  # 85/121 and 96/121, outward


def test_the_holder_of_a_link_is_typed_nowhere(site: StaffSite) -> None:
    publish(site, USUAL)
    text = page(site, NIORT)
    assert "<form" not in text
    assert "<script" not in text


FINE = {"niort.mayor.under_500": 60, "niort.mayor.from_2000": 61, "parthenay.mayor.under_500": 40}
"""Strata as the freezing makes them: arrondissement, office, size."""


def test_a_territory_is_a_whole_arrondissement_whatever_its_strata(site: StaffSite) -> None:
    publish(
        site,
        {
            "niort.mayor.under_500": (30, 5),
            "niort.mayor.from_2000": (30, 5),
            "parthenay.mayor.under_500": (20, 6),
        },
        populations=FINE,
    )
    lines = cells(page(site, "niort.mayor.from_2000"))
    assert lines["Niort"] == "Niort 85,7\u202f% 70"
    assert page(site, "niort.mayor.from_2000") == page(site, "niort.mayor.under_500")


@pytest.mark.abuse("AC-23")
def test_a_small_stratum_inside_a_territory_stays_unseen(site: StaffSite) -> None:
    publish(
        site,
        {
            "niort.mayor.under_500": (30, 5),
            "niort.mayor.from_2000": (3, 1),
            "parthenay.mayor.under_500": (20, 6),
        },
        populations=FINE,
    )
    assert cells(page(site, "niort.mayor.from_2000"))["Niort"] == "Niort 84,6\u202f% 39"
    assert "from_2000" not in page(site, "niort.mayor.from_2000")
