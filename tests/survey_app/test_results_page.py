"""The results of a wave as staff read them: figures, drawings, filters, what is hidden and from whom."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from fractions import Fraction

import pytest
import sqlalchemy as sa

from analysis.axes import MeasuredItem, Reading, commitment_result, item_result
from analysis.comparisons import Difference
from analysis.disclosure import judged
from analysis.rates import Rate
from analysis.tally import CellLayout, CountedResponse
from analysis.wave_report import WaveSettings, build_wave_report
from form_definitions import load_framework
from survey_app import charts, questionnaires, reports, waves
from survey_app.clock import today_in_paris
from survey_app.database import write_connection
from survey_app.exports.words import day_words, mode_label
from survey_app.models import TallyCell, Wave
from survey_app.responses import counts
from survey_app.staff.figures import table
from survey_app.staff.pages import one_decimal, period_name
from survey_app.staff.results import say_difference
from tests.survey_app.staff_site import (
    WAVE,
    StaffSite,
    a_plan,
    a_source,
    add_responses,
    seed_wave,
    some_commitment,
)

RESULTS = f"/gestion/resultats/{WAVE}"


def text_of(page: str) -> str:
    """The words of a page, without its tags."""
    return re.sub(r"[ \n\t]+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_rate_stands_with_its_interval_base_and_both_verdicts(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
    words = text_of(site.client("reader").get(RESULTS).text)
    for figure in ("80,0\u202f%", "62,6 – 90,5\u202f%", " 30 ", "Pas d’axe", "◆ non distinguable de 75"):
        assert figure in words, figure


@pytest.mark.parametrize(
    "good, bad, official, said",
    [
        (240, 60, "Pas d’axe", "▲"),
        (45, 15, "Pas d’axe", "◆"),
        (40, 60, "Axe d’amélioration", "▼"),
        (8, 4, "Axe d’am", "○"),
    ],
)
def test_the_official_verdict_and_what_can_be_said_stand_apart(
    site: StaffSite, good: int, bad: int, official: str, said: str
) -> None:
    with site.database():
        seed_wave(good, bad)
    page = site.client().get(RESULTS).text
    cell = re.search(r'<td class="wide said">(.*?)</td>', page, re.DOTALL)
    assert cell
    assert official in cell[1]
    assert said in cell[1]


def test_a_figure_of_fewer_than_five_people_is_hidden_from_staff_too(site: StaffSite) -> None:
    with site.database():
        seed_wave(3, 1)
    page = site.client().get(RESULTS).text
    assert "Moins de 5 personnes" in page
    assert "75,0" not in text_of(page)


def test_who_was_helped_is_told_of_the_whole_edition_and_never_of_too_few(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
        digest = questionnaires.versions()[0].digest
        add_responses(digest, 12, 0, site="accueil_general", assisted=True)
    client = site.client("reader")
    told = "Sur tablette\u00a0: 12 avec l’aide d’un agent, 0 sans aide, 30 sans indication de l’agent."
    assert told in text_of(client.get(RESULTS).text)
    assert "Sur tablette\u00a0:" not in text_of(client.get(f"{RESULTS}?site=accueil_general").text)
    with site.database():
        add_responses(digest, 3, 0, site="accueil_general", assisted=False)
    words = text_of(client.get(RESULTS).text)
    assert "masqué avec l’aide d’un agent, masqué sans aide, 30 sans indication de l’agent." in words
    assert "Un nombre de moins de 5 personnes est masqué" in words


def test_a_site_below_the_threshold_is_named_though_the_total_hides_it(site: StaffSite) -> None:
    with site.database():
        seed_wave(190, 10)
        digest = questionnaires.versions()[0].digest
        add_responses(digest, 10, 20, site="point_numerique")
    words = text_of(site.client().get(RESULTS).text)
    assert "Sites sous le seuil que le total cache" in words
    assert "33,3" in words


def test_a_mode_outside_the_headline_is_collected_and_not_counted_in_it(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
        add_responses(questionnaires.versions()[0].digest, 0, 50, site="accueil_general", mode="paper")
    client = site.client()
    words = text_of(client.get(RESULTS).text)
    assert "Réponses 80 80 complètes" in words
    assert "80,0\u202f%" in words
    assert "0,0\u202f%" in text_of(client.get(RESULTS, query_string={"mode": "paper"}).text)


def test_filters_narrow_the_figures_and_keep_their_place_in_the_form(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
        add_responses(questionnaires.versions()[0].digest, 5, 15, site="point_numerique")
    page = site.client().get(RESULTS, query_string={"site": "point_numerique"}).text
    assert "25,0\u202f%" in text_of(page)
    assert '<option value="point_numerique" selected>' in page


@pytest.mark.parametrize(
    "query", ["site=<script>", "periode=2026-99", "langue=../..", "mode=nul", "periode=x-T9"]
)
def test_a_filter_that_names_nothing_shows_nothing_and_breaks_nothing(site: StaffSite, query: str) -> None:
    with site.database():
        seed_wave(24, 6)
    answer = site.client().get(f"{RESULTS}?{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text


TODAY = today_in_paris()


def shown_to(site: StaffSite, role: str) -> str:
    found = re.search(r"Réponses (\d+)", text_of(site.client(role).get(RESULTS).text))
    assert found
    return found[1]


def test_while_an_edition_is_open_no_reader_sees_the_answers_of_one_visitor(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
        digest = questionnaires.versions()[0].digest
    before = {role: site.client(role).get(RESULTS).text for role in ("reader", "assistant", "contributor")}
    with site.database():
        add_responses(digest, 0, 1, site="accueil_general", day=TODAY)
    for role, page in before.items():
        assert text_of(site.client(role).get(RESULTS).text) == text_of(page)
        with site.client(role).get(f"/gestion/exports/{WAVE}/json") as answer:
            assert json.loads(answer.get_data())["responses"] == 30
    assert (shown_to(site, "reader"), shown_to(site, "referent")) == ("30", "31")
    assert "ces chiffres comptent les réponses données avant le" in before["reader"]
    with site.database():
        waves.close_wave(WAVE, actor="test")
    assert shown_to(site, "reader") == "31"


def test_days_that_are_over_are_added_by_five_answers_at_least(site: StaffSite) -> None:
    with site.database():
        seed_wave(0, 0)
        digest = questionnaires.versions()[0].digest
    seen = []
    for ago, number in ((9, 6), (8, 1), (6, 3), (5, 1), (3, 4), (0, 20)):
        with site.database():
            day = TODAY - dt.timedelta(days=ago)
            add_responses(digest, number, 0, site="accueil_general", day=day)
        seen.append(shown_to(site, "reader"))
    assert seen == ["6", "6", "6", "11", "11", "11"]


@pytest.mark.parametrize(
    "query", ["langue=xx", "langue=und", "mode=nul", "site=nulle-part", "periode=hier", "periode=2019-S48"]
)
@pytest.mark.parametrize("file", ["classeur", "json", "reponses"])
def test_an_export_with_an_unknown_filter_leads_to_the_page_that_names_it(
    site: StaffSite, query: str, file: str
) -> None:
    with site.database():
        seed_wave(24, 6)
    answer = site.client().get(f"/gestion/exports/{WAVE}/{file}?{query}")
    assert answer.status_code == 303
    assert "Filtre inconnu dans cette édition" in site.client().get(answer.headers["Location"]).text


def test_an_engagement_opens_on_its_questions_and_breakdowns(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
        add_responses(questionnaires.versions()[0].digest, 5, 15, site="point_numerique")
    words = text_of(site.client("contributor").get(f"{RESULTS}/engagement/{some_commitment()}").text)
    for part in (
        "La courtoisie",
        "Très bien 29",
        "Très mal 21",
        "Par site",
        "Point numérique",
        "Sans réponse 0",
    ):
        assert part in words, part
    assert "Par langue" not in words


def test_an_engagement_is_broken_down_by_site_mode_language_and_month_and_no_other_way(
    site: StaffSite,
) -> None:
    first, second = dt.date(2026, 3, 31), dt.date(2026, 4, 1)
    with site.database():
        seed_wave(0, 0, opens_on=first)
        digest = questionnaires.versions()[0].digest
        add_responses(digest, 20, 10, site="accueil_general", day=first)
        add_responses(digest, 9, 21, site="point_numerique", mode="website", language="en", day=second)
    html = site.client().get(f"{RESULTS}/engagement/{some_commitment()}").text
    whole, _, after = html.partition("<h2>Par site</h2>")
    assert "Par question" in whole
    titles = re.findall(r"<h2>(Par [^<]*)</h2>", html)
    assert titles == ["Par question", "Par site", "Par mode de recueil", "Par langue", "Par mois"]
    for part, (one, other) in zip(
        after.split("<h2>Par "),
        (
            ("Accueil général", "Point numérique"),
            ("Tablette", "Site internet"),
            ("Français", "English"),
            ("mars 2026", "avril 2026"),
        ),
        strict=True,
    ):
        words = text_of(part)
        for name, rate in ((one, "66,7"), (other, "30,0")):
            assert re.search(rf"{name} [^%]*Taux {rate}\u202f%", words), words


def test_a_question_asked_under_two_names_is_one_filter_of_the_free_texts(site: StaffSite) -> None:
    more = "      - {{item: {}, type: long_text, label: {}, maximum_length: 300}}\n"
    with site.database():
        seed_wave(2, 0, comment="Du premier nom")
        source = a_source(**{"item: comment": "item: message"}) + more.format("other", "Autre chose")
        newer = questionnaires.publish_source(source, {}, actor="test")
        waves.move_to_questionnaire(WAVE, newer.digest, actor="test")
        add_responses(newer.digest, 1, 0, site="accueil_general", text={"message": "Du second nom"})
        add_responses(newer.digest, 1, 0, site="accueil_general", text={"other": "Encore"})
    client = site.client()
    page = client.get(f"{RESULTS}/verbatims").text
    chosen = re.findall(r'<option value="(\w*)"[^>]*>(Un mot|Autre chose|comment|message)<', page)
    assert chosen == [("message", "Un mot"), ("other", "Autre chose")]
    assert page.count("Un mot ·") == 3, "the texts of the earlier version have their question too"
    for name, found in (("message", (2, 1, 0)), ("comment", (2, 1, 0)), ("other", (0, 0, 1))):
        page = client.get(f"{RESULTS}/verbatims?question={name}").text
        assert tuple(page.count(text) for text in ("Du premier nom", "Du second nom", "Encore")) == found


def test_free_texts_are_for_the_referent_alone(site: StaffSite) -> None:
    with site.database():
        seed_wave(6, 0, comment="<b>Un mot</b> trop long")
    page = site.client().get(f"{RESULTS}/verbatims").text
    assert page.count("&lt;b&gt;Un mot&lt;/b&gt; trop long") == 6
    assert site.client("director").get(f"{RESULTS}/verbatims").status_code == 403
    for address in (RESULTS, f"{RESULTS}/engagement/{some_commitment()}"):
        assert "Un mot" not in site.client("director").get(address).text


def test_a_wave_without_answers_shows_no_rate_and_every_site_missing(site: StaffSite) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
        waves.create_wave(a_plan(digest), actor="test")
        waves.open_wave(WAVE, actor="test")
    words = text_of(site.client().get(RESULTS).text)
    assert "– aucune réponse" in words
    assert words.count("pour ±6 points") == 2


def test_the_page_says_what_its_intervals_do_not_measure(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
    assert "Il ne mesure ni les refus" in site.client().get(RESULTS).text


def result(good: int, base: int) -> object:
    return item_result("c", MeasuredItem("i", Rate(good, base), "Un <b>titre</b>"), Reading())


def test_a_drawing_has_a_name_a_description_and_no_style_attribute() -> None:
    drawn = str(charts.Frame(Fraction(3, 4)).row(result(24, 30), "x"))  # type: ignore[arg-type]
    assert 'role="img"' in drawn
    assert "<title" in drawn
    assert "Taux 80" in drawn
    assert "seuil 75" in drawn
    assert "&lt;b&gt;" in drawn
    assert "style=" not in drawn


def test_the_dot_the_bar_and_the_line_stand_where_the_figures_say() -> None:
    drawn = str(charts.Frame(Fraction(3, 4), Fraction(1, 2)).row(result(24, 30), "x"))  # type: ignore[arg-type]
    assert 'class="point" cx="60.00%"' in drawn
    assert 'class="threshold" x1="50.00%" x2="50.00%"' in drawn
    bar = re.search(r'x="([\d.]+)%" width="([\d.]+)%"', drawn)
    assert bar
    assert float(bar[1]) == pytest.approx((62.69 - 50) * 2, abs=0.05)
    ends = [float(x) for x in re.findall(r'class="bound" x="([\d.]+)%"', drawn)]
    assert ends == pytest.approx([(62.69 - 50) * 2, (90.49 - 50) * 2], abs=0.05)
    assert float(bar[1]) + float(bar[2]) == pytest.approx((90.49 - 50) * 2, abs=0.05)


@pytest.mark.parametrize("good, start", [(29, "1/2"), (15, "1/4"), (2, "0")])
def test_the_frame_holds_every_interval_and_always_the_upper_half(good: int, start: str) -> None:
    frame = charts.frame_of([result(good, 30), result(29, 30)], Fraction(3, 4))  # type: ignore[list-item]
    assert frame.start == Fraction(start)
    assert "75\u202f%" in frame.scale()


def test_the_ends_of_a_narrow_interval_are_drawn_over_the_dot() -> None:
    drawn = str(charts.Frame(Fraction(3, 4)).row(result(160_000, 200_000), "x"))  # type: ignore[arg-type]
    assert drawn.index('class="point"') < drawn.index('class="bound"')


def test_the_confidence_of_a_wave_stands_in_the_words_beside_its_figures(site: StaffSite) -> None:
    with site.database():
        digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
        plan = a_plan(digest, confidence="0.9")
        waves.create_wave(plan, actor="test")
        waves.open_wave(WAVE, actor="test", today=plan.opens_on)
        add_responses(digest, 200, 20, site="accueil_general", mode="website")
        add_responses(digest, 100, 120, site="accueil_general", mode="tablet")
    words = text_of(site.client().get(RESULTS).text)
    assert "Intervalle à 90\u202f%" in words
    assert "est tenu à 10\u202f% pour l’ensemble de ces comparaisons entre modes" in words
    assert "95\u202f%" not in words


def test_the_line_of_the_threshold_runs_through_the_row_of_a_hidden_figure() -> None:
    hidden = judged(commitment_result("c", [MeasuredItem("i", Rate(2, 3))], Reading()), "staff")
    ((_, row),) = table([("", hidden)], WaveSettings(), "x").rows
    assert row.hidden
    assert 'class="threshold"' in row.drawing
    assert not re.search("point|interval|bound|<title", row.drawing)


def test_a_drawing_without_answers_says_so() -> None:
    assert "Aucune réponse exprimée" in charts.Frame(Fraction(3, 4)).row(result(0, 0), "x")  # type: ignore[arg-type]


def test_rates_are_printed_with_one_decimal_half_up() -> None:
    assert [one_decimal(x) for x in (0.75, 0.78518, 0.0, 1.0, 0.0005)] == [
        "75,0\u202f%",
        "78,5\u202f%",
        "0,0\u202f%",
        "100,0\u202f%",
        "0,1\u202f%",
    ]


def test_periods_have_names() -> None:
    assert period_name("2026-11") == "novembre 2026"
    assert period_name("2026-T1") == "1ᵉʳ trimestre 2026"
    assert period_name("2026-T4") == "4ᵉ trimestre 2026"


def test_a_million_responses_are_read_in_the_time_of_a_thousand_cells(site: StaffSite) -> None:
    """The page reads tallies only: 1,000 cells of 1,000 responses. The bench holds the figure."""
    with site.database():
        version = questionnaires.publish_source(a_source(), {}, actor="test")
        waves.create_wave(a_plan(version.digest), actor="test")
        waves.open_wave(WAVE, actor="test")
        fill_tallies(version.digest)
    client = site.client()
    words = text_of(client.get(RESULTS).text)
    assert "1\u202f000\u202f000" in words
    took = min(_seconds(lambda: client.get(RESULTS)) for _ in range(5))
    assert took < 0.2


def test_cells_by_month_give_the_same_report_as_cells_by_day(site: StaffSite) -> None:
    with site.database():
        version = questionnaires.publish_source(a_source(), {}, actor="test")
        wave = waves.create_wave(a_plan(version.digest), actor="test")
        fill_tallies(version.digest)
        days = counts.cells(wave.id)
    questionnaire = questionnaires.questionnaire_of(version)
    months = reports.by_month(days)
    assert (len(days), len(months)) == (1000, 33)
    for period in (None, "2026-03", "2026-T2"):
        one, other = (
            build_wave_report(questionnaire, cells, WaveSettings(), period=period) for cells in (days, months)
        )
        assert one.responses == other.responses > 0
        assert one.commitments == other.commitments
        assert list(one.by_period) == list(other.by_period)
    assert days[0].vector[0] == 1000, "the cells that were given are left as they were"
    assert reports.is_week("2026-S48")
    assert not reports.is_week("2026-11")


def fill_tallies(digest: str) -> None:
    """A thousand cells as the intake writes them, of a thousand responses each."""
    layout = CellLayout(questionnaires.questionnaire_of(questionnaires.versions()[0]))
    one = layout.vector(
        CountedResponse({"courtesy": ["satisfied"]}, frozenset({"courtesy", "comment"}), complete=True)
    )
    start = dt.date(2025, 1, 1)
    rows = [
        {
            "wave_id": WAVE,
            "digest": digest,
            "site": "accueil_general",
            "mode": "tablet",
            "language": "fr",
            "day": start + dt.timedelta(days=n),
            "layout": layout.digest,
            "counters": layout.to_bytes(one * 1000),
        }
        for n in range(1000)
    ]
    with write_connection() as connection:
        connection.execute(sa.insert(TallyCell), rows)


def _seconds(act: object) -> float:
    assert callable(act)
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


GRID = """\
      - grid: desk
        label: Au guichet, que pensez-vous
        scale: satisfaction_4
        rows:
          - {item: courtesy, label: de la courtoisie, commitment: COMMITMENT}
      - {item: comment,"""


def test_a_row_of_a_grid_is_named_with_the_question_of_its_grid(site: StaffSite) -> None:
    head, _, rest = a_source().partition("      - item: courtesy")
    grid = GRID.replace("COMMITMENT", some_commitment())
    source = head + grid + rest.partition("      - {item: comment,")[2]
    with site.database():
        version = questionnaires.publish_source(source, {}, actor="test")
        waves.create_wave(a_plan(version.digest), actor="test")
        waves.open_wave(WAVE, actor="test")
    page = site.client().get(f"{RESULTS}/engagement/{some_commitment()}").text
    assert "Au guichet, que pensez-vous de la courtoisie" in text_of(page)


def test_a_rate_below_the_threshold_is_nowhere_printed_as_if_it_reached_it() -> None:
    """2999 of 4000 is an axis: printed « 75,0 % », it would contradict itself."""
    below = Rate(2999, 4000)
    result = item_result("accueil", MeasuredItem("a", below, "A"), Reading())
    assert result.improvement_axis
    shown = table([("A", result)], WaveSettings(), "c").rows[0][1]
    assert shown.rate == "<\u202f75\u202f%"
    assert "Taux &lt;\u202f75\u202f%, intervalle" in shown.drawing
    reached = item_result("accueil", MeasuredItem("a", Rate(3000, 4000), "A"), Reading())
    assert table([("A", reached)], WaveSettings(), "c").rows[0][1].rate == "75,0\u202f%"


def test_the_list_of_axes_prints_its_rates_as_the_table_does(site: StaffSite) -> None:
    with site.database():
        seed_wave(2999, 1001)  # below by one answer
    page = site.client().get(f"/gestion/resultats/{WAVE}").text
    assert "(&lt;\u202f75\u202f%, 2\u202f999 / 4\u202f000)" in page
    assert "75,0\u202f%" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.S)


def test_an_axis_names_each_service_that_answers_for_it(site: StaffSite) -> None:
    shared = next(
        code
        for code, (_, commitment) in load_framework("qual_e_pref").commitments.items()
        if commitment.service == "DE2I1, DE2I2"
    )
    with site.database():
        source = a_source(**{f"commitment: {some_commitment()}": f"commitment: {shared}"})
        digest = questionnaires.publish_source(source, {}, actor="test").digest
        waves.create_wave(a_plan(digest), actor="test")
        waves.open_wave(WAVE, actor="test")
        add_responses(digest, 1, 39, site="accueil_general")
    words = text_of(site.client().get(RESULTS).text)
    one, other = "Bureau des élections et de l’administration générale", "Bureau de l’immigration"
    assert f"{one}\u202f; {other}" in words
    assert "DE2I1" not in words


@pytest.mark.parametrize(
    ("item", "difference", "asked", "higher", "lower"),
    [
        (None, 0.1234, "", "tablet", "website"),
        ("wait", -0.1234, "«\u202fL’attente\u202f», ", "website", "tablet"),
    ],
)
def test_a_sure_difference_names_the_higher_mode_first_and_its_question_if_it_is_that_of_one(
    item: str | None, difference: float, asked: str, higher: str, lower: str
) -> None:
    told = Difference("c", item, "tablet", "website", difference, 0.05, 0.2, 0.001, 0.002, True)
    said = f"{asked}«\u202f{mode_label(higher)}\u202f» dépasse «\u202f{mode_label(lower)}\u202f»"
    assert say_difference(told, {"wait": "L’attente"}) == f"{said} de 12,3\u202fpoints, c’est sûr."


def test_the_page_says_how_many_finished_what_they_began_on_a_tablet(site: StaffSite) -> None:
    with site.database():
        seed_wave(24, 6)
        digest = questionnaires.versions()[0].digest
        add_responses(digest, 8, 0, site="accueil_general", mode="website")
    page = site.client("reader").get(f"/gestion/resultats/{WAVE}").text
    assert "<dt>Menées à leur terme sur tablette</dt><dd>100\u202f%<small>30 sur 30 commencées" in page
    assert "Le site internet et le papier n’envoient que des questionnaires terminés" in page


def test_an_edition_closed_early_states_the_day_of_its_closing_and_the_end_that_was_planned(
    site: StaffSite,
) -> None:
    today = today_in_paris()
    with site.database():
        seed_wave()
        planned = day_words(today + dt.timedelta(days=20))
    client = site.client()
    assert planned in text_of(client.get(RESULTS).text)
    with site.database():
        waves.close_wave(WAVE, actor="test")
    closed = f"{day_words(today - dt.timedelta(days=20))} – {day_words(today)}"
    for page in (RESULTS, f"/gestion/editions/{WAVE}"):
        assert f"{closed} (close avant la fin prévue, le {planned})" in text_of(client.get(page).text), page
    with client.get(f"/gestion/exports/{WAVE}/json") as answer:
        assert json.loads(answer.data)["wave"]["last_day"] == today.isoformat()
    with site.database():
        waves.reopen_wave(WAVE, actor="test")
    assert "close avant" not in text_of(client.get(RESULTS).text)


@pytest.mark.parametrize(
    "closed_at, last_day",
    [
        (None, dt.date(2026, 3, 31)),
        (dt.datetime(2026, 3, 12, 23, 30, tzinfo=dt.UTC), dt.date(2026, 3, 13)),  # already the 13th in Paris
        (dt.datetime(2026, 4, 20, tzinfo=dt.UTC), dt.date(2026, 3, 31)),
        (dt.datetime(2026, 2, 20, tzinfo=dt.UTC), dt.date(2026, 3, 31)),  # closed before it began
    ],
)
def test_the_last_day_is_that_of_the_closing_where_it_came_early(
    closed_at: dt.datetime | None, last_day: dt.date
) -> None:
    dates = {"opens_on": dt.date(2026, 3, 1), "closes_on": dt.date(2026, 3, 31)}
    assert Wave(**dates, closed_at=closed_at).last_day == last_day


def test_axes_are_counted_among_the_engagements_that_somebody_answered_about(site: StaffSite) -> None:
    first, second, third = list(load_framework("qual_e_pref").commitments)[:3]
    question = "type: satisfaction, scale: satisfaction_4, label: Question"
    rows = "".join(
        f"      - {{item: q_{code}, {question} {code}, commitment: {code}}}\n" for code in (second, third)
    )
    with site.database():
        version = questionnaires.publish_source(a_source() + rows, {}, actor="test")
        waves.create_wave(a_plan(version.digest), actor="test")
        waves.open_wave(WAVE, actor="test")
    page = text_of(site.client().get(RESULTS).text)
    assert re.search(r"Axes d’amélioration 0 sur 0 engagement mesuré, 3 sans réponse", page), page
    with site.database():
        add_responses(version.digest, 5, 15, site="accueil_general")
    assert first == some_commitment()
    page = text_of(site.client().get(RESULTS).text)
    assert "Axes d’amélioration 1 sur 1 engagement mesuré, 2 sans réponse" in page
    page = text_of(site.client().get(f"{RESULTS}?site=point_numerique").text)
    assert "Axes d’amélioration 0 sur 0 engagement mesuré, 3 sans réponse" in page
