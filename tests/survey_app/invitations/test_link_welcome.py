"""The page of a link says who asks, why, how long, what is known, and nothing in it depends on the link."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from form_definitions import questionnaire_digest
from survey_app.clock import today_in_paris
from survey_app.collection_modes.link_opening import in_words
from survey_app.database import write_transaction
from survey_app.invitation_models import WaveFrame
from survey_app.invitations import links
from tests.page_checks import typography_faults
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.link_site import LinkSite

ANSWER_OR_READ = "Répondre ou voir les résultats"
CHECKED_AT = "https://www.exemple.fr/enquete-elus"


@pytest.fixture
def site(tmp_path: Path) -> LinkSite:
    return LinkSite(tmp_path)


def words(site: LinkSite, path: str = "") -> str:
    official = site.official(0)
    return " ".join(official.open(path or official.address).words().split())


def test_it_says_why_how_long_until_when_and_what_is_known(site: LinkSite) -> None:
    shown = words(site)
    with site.app.test_request_context():
        last_day = in_words(today_in_paris() + dt.timedelta(days=20))
    for told in (
        "La préfecture vous demande si ses services vous sont utiles",
        "Environ 5 minutes",
        f"Vous pouvez répondre jusqu’au {last_day}",
        "nous savons qui a répondu",
        "Nous ne demandons jamais de mot de passe",
    ):
        assert told in shown
    html = site.official(0).open("/r/").html
    assert typography_faults([re.sub(r"<[^>]+>", " ", html)]) == []


def test_it_names_who_signs_the_telephone_and_the_page_that_announces_it(site: LinkSite) -> None:
    known = site.app.jinja_env.globals["organisation"]
    director = known.director.model_copy(  # type: ignore[attr-defined]
        update={"name": "Camille Essai", "title": "Directrice", "phone": "05 49 00 00 00"}
    )
    contact = known.contact.model_copy(update={"verification_page": CHECKED_AT})  # type: ignore[attr-defined]
    filled = known.model_copy(update={"director": director, "contact": contact})  # type: ignore[attr-defined]
    site.app.jinja_env.globals["organisation"] = filled
    shown = words(site)
    for told in ("Camille Essai", "Directrice", "05 49 00 00 00", CHECKED_AT):
        assert told in shown


def test_a_nominative_survey_says_so_before_its_button_is_pressed(tmp_path: Path) -> None:
    shown = words(LinkSite(tmp_path, people=12, anonymity="nominative"))
    assert "Enquête nominative" in shown
    assert "nous savons qui a répondu" not in shown


def open_another(site: LinkSite, people: int = 30, **changes: Any) -> str:
    """One more edition that is open today; the path of a link of it."""
    with site.app.app_context():
        numbers = invited.a_wave(
            people,
            questionnaire=site.questionnaire,
            digest=questionnaire_digest(site.questionnaire),
            wave_id="alerte",
            opens_on=today_in_paris(),
            closes_on=today_in_paris() + dt.timedelta(days=3),
            **changes,
        )
        return f"/r/{links.token(invited.invitation(numbers[0]))}"


def test_where_open_editions_differ_it_says_only_what_holds_for_all(site: LinkSite) -> None:
    open_another(site, 12, anonymity="nominative")
    shown = words(site)
    assert "Vous pouvez répondre jusqu’au" not in shown
    assert "nous savons qui a répondu" not in shown
    assert "Enquête nominative" not in shown
    assert "Que deviennent vos réponses" in shown


@pytest.mark.parametrize("path", ["", "/r/"])
def test_once_nothing_is_open_it_offers_the_results_and_no_acts(site: LinkSite, path: str) -> None:
    assert "Je transmets ce lien" in words(site, path)
    site.close()
    shown = words(site, path)
    assert "ce lien les ouvre" in shown
    for gone in ("Commencer", "Je transmets ce lien", "Je ne souhaite pas répondre", "Vous pouvez répondre"):
        assert gone not in shown


def test_beside_an_open_edition_the_link_of_a_published_one_says_that_it_opens_results(
    site: LinkSite,
) -> None:
    assert ANSWER_OR_READ not in words(site)
    site.close()
    with site.app.app_context():
        invited.set_wave(state="published")
    other = open_another(site)
    for path in ("", other, "/r/"):
        shown = words(site, path)
        assert ANSWER_OR_READ in shown
        assert "il ouvre ses résultats" in shown
        assert "Commencer" not in shown
    assert site.official(0).start().heading == "Les résultats de l’enquête"
    official = site.official(0)
    official.address = other
    assert 'name="_state"' in official.start().html


def test_an_edition_past_its_last_day_counts_as_ended_until_its_links_end(site: LinkSite) -> None:
    open_another(site)
    yesterday = today_in_paris() - dt.timedelta(days=1)
    with site.app.app_context():
        invited.set_wave(closes_on=yesterday)
    assert ANSWER_OR_READ in words(site)
    with site.app.app_context(), write_transaction() as transaction:
        transaction.get_one(WaveFrame, invited.WAVE).results_until = yesterday
    assert ANSWER_OR_READ not in words(site)
    assert "Commencer" in words(site)


@pytest.mark.parametrize("end", ["merci", "enregistre", "deja", "fini"])
def test_the_last_page_speaks_plainly_and_promises_results_only_once_published(
    site: LinkSite, end: str
) -> None:
    shown = words(site, f"/r/{end}/fr")
    assert not re.search("scell|clôture", shown)
    if end != "enregistre":
        assert "Dès que les résultats seront publiés, ce même lien les ouvrira" in shown


def test_what_is_known_is_said_in_two_sentences_on_the_first_and_the_last_page(site: LinkSite) -> None:
    official = site.official(0).start()
    pages = [official.html]
    for _page in range(20):
        if "Envoyer mes réponses" in official.html:
            break
        opinion = 'name="overall_opinion"' in official.html
        official.send(**({"overall_opinion": official.first_option("overall_opinion")} if opinion else {}))
    for html in (*pages, official.html):
        (told,) = re.findall(r"<h2>Ce que nous savons de vous</h2>\s*<p>(.*?)</p>", html, flags=re.S)
        assert len(re.findall(r"\.(?:\s|$)", unescape(told))) == 2
        assert "nous savons qui a répondu, pour ne pas relancer, mais pas ce que chacun a répondu" in told
        assert "on ne garde que la semaine, la langue et un groupe d’au moins onze réponses" in told
