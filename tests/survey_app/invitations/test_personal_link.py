"""From the mail to « Merci »: the form behind a personal link, without JavaScript."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import time_machine

from survey_app.clock import today_in_paris
from survey_app.invitation_models import SavedInterview, SealedAnswer
from survey_app.invitations.mixing import finish
from tests.page_checks import typography_faults
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.link_site import LinkSite, Official

SENTINEL = "Phrase que nul ne doit relire"


@pytest.fixture
def site(tmp_path: Path) -> LinkSite:
    return LinkSite(tmp_path)


def test_an_official_answers_and_the_answer_is_counted_after_the_closing(site: LinkSite) -> None:
    official = site.official(0).start().answer_all(comment=SENTINEL)
    assert official.heading == "Merci, vos réponses sont enregistrées"
    assert (site.state(0), site.count(SealedAnswer)) == ("answered", 1)
    site.close()
    assert [list(answers) for answers in site.mixed()] == [["overall_opinion"]] * 11


def test_the_page_of_a_link_names_no_survey_and_what_is_known_is_said_before_the_answers(
    site: LinkSite,
) -> None:
    """Of an event or of a first year too, its heading is true."""
    official = site.official(0)
    assert official.open(official.address).heading == "Votre avis"
    told = official.words()
    assert "À moins de onze réponses en tout, aucune n’est gardée." in told
    assert "L’avis des élus" not in told


@pytest.mark.parametrize("language, word", [("en", "Thank you"), ("ar", "شكرًا")])
def test_it_works_in_every_language_of_the_wave(site: LinkSite, language: str, word: str) -> None:
    official = site.official(0).start(language)
    assert f'lang="{language}"' in official.html
    assert word in official.answer_all().heading


def test_the_address_is_clean_after_the_button_and_to_the_end(site: LinkSite) -> None:
    official = site.official(0)
    token = site.token(0)
    official.start()
    assert official.page is not None
    assert token not in official.page.request.url
    assert token not in official.html
    official.answer_all()
    assert official.page.request.url.endswith("/r/merci/fr")
    assert token not in official.html


def test_the_code_of_a_letter_opens_the_same_form_however_it_is_typed(site: LinkSite) -> None:
    official = Official(site, "/r/")
    official.open("/r/")
    official.send(_code=site.code(1).lower().replace("-", " "))
    assert "L’avis des élus sur les services de l’État" in official.html
    official.answer_all()
    assert site.state(1) == "answered"


def test_a_nominative_wave_says_so_on_every_page(tmp_path: Path) -> None:
    site = LinkSite(tmp_path, people=12, anonymity="nominative")
    official = site.official(0).start()
    for _page in range(20):
        if official.status == 303:
            break
        assert "Enquête nominative" in official.words()
        assert "nous savons qui a répondu" not in official.words()
        opinion = 'name="overall_opinion"' in official.html
        official.send(**({"overall_opinion": official.first_option("overall_opinion")} if opinion else {}))
    assert site.state(0) == "answered"


def test_a_missing_answer_is_asked_for_before_anything_is_used_up(site: LinkSite) -> None:
    official = site.official(0).start()
    for _page in range(20):
        official.send()
        if official.status == 422:
            break
    assert "Répondez à cette question" in official.words()
    assert (site.state(0), site.count(SealedAnswer)) == ("waiting", 0)


def test_save_here_and_go_on_there(site: LinkSite) -> None:
    """Another device: nothing is shared but the link."""
    first = site.official(0).start()
    first.send("save", contact_frequency="weekly").follow()
    assert first.heading == "C’est enregistré"
    assert site.count(SavedInterview) == 1
    second = site.official(0).start()
    assert 'value="weekly" checked' in second.html.replace("  ", " ") or "checked" in second.html
    second.answer_all()
    assert (site.state(0), site.count(SavedInterview)) == ("answered", 0)
    site.close()
    assert [said for said in site.mixed() if said.get("contact_frequency") == ["weekly"]]


def test_it_goes_on_at_the_page_where_it_was_saved(site: LinkSite) -> None:
    official = site.official(0).start()
    official.send(contact_frequency="never")
    heading = official.heading
    official.send("save").follow()
    assert site.official(0).start().heading == heading


def test_a_draft_is_opaque_and_of_one_size(site: LinkSite) -> None:
    import sqlalchemy as sa

    from survey_app.database import db

    site.official(0).start().send("save", contact_frequency="weekly")
    site.official(1).start().send("save")
    with site.app.app_context():
        sealed = [bytes(one) for one in db.session.scalars(sa.select(SavedInterview.sealed))]
    assert len({len(one) for one in sealed}) == 1
    assert not any(b"weekly" in one for one in sealed)


def test_a_draft_of_an_earlier_version_brings_what_is_still_asked(site: LinkSite) -> None:
    from survey_app.invitations import transitions
    from survey_app.invitations.redemption import Holder

    with site.app.app_context():
        draft = {
            "digest": "f" * 64,
            "section": "gone",
            "warned": [],
            "answers": {"contact_frequency": ["weekly"], "gone": ["x"]},
        }
        transitions.save_draft(Holder(site.numbers[0], 1), draft, site.questionnaire)
    site.official(0).start().answer_all()
    site.close()
    assert [said for said in site.mixed() if said.get("contact_frequency") == ["weekly"]]


@pytest.mark.abuse("AC-16")
def test_nothing_can_be_read_back_through_the_link(site: LinkSite) -> None:
    site.official(0).start().send("save", contact_frequency="weekly")
    site.official(0).start().answer_all(comment=SENTINEL)
    again = site.official(0)
    again.open(again.address)
    assert SENTINEL not in again.html
    again.start()
    assert again.heading == "Une réponse est enregistrée"
    assert SENTINEL not in again.html
    assert "weekly" not in again.html
    site.close()
    assert SENTINEL not in site.official(0).start().html


@pytest.mark.abuse("AC-13")
def test_a_link_that_was_forwarded_gives_one_answer_and_says_so_to_the_second(site: LinkSite) -> None:
    first, second = site.official(0).start(), site.official(0).start()
    assert first.answer_all().heading.startswith("Merci")
    assert second.answer_all().heading == "Une réponse est enregistrée"
    assert "la vôtre n’est pas gardée" in second.words()
    assert site.count(SealedAnswer) == 1
    assert site.official(0).start().heading == "Une réponse est enregistrée"


def test_a_second_send_of_the_last_page_changes_nothing(site: LinkSite) -> None:
    official = site.official(0).start()
    while 'name="overall_opinion"' not in official.html:
        official.send()
    official.send(overall_opinion=official.first_option("overall_opinion"))
    fields = official.fields()
    before = official.page
    official.post(fields)
    assert official.follow().heading.startswith("Merci")
    official.page = before
    official.post(fields)
    assert official.follow().heading == "Une réponse est enregistrée"
    assert site.count(SealedAnswer) == 1


def test_after_the_closing_the_link_takes_nothing_and_opens_the_results_until_their_last_day(
    site: LinkSite,
) -> None:
    late = site.official(1).start()
    site.close()
    assert late.answer_all().heading == "Cette enquête est terminée"
    assert site.count(SealedAnswer) == 0
    assert site.official(1).start().heading == "Cette enquête est terminée"
    site.move_wave(invited.WAVE, state="published")
    assert site.official(1).start().heading == "Les résultats de l’enquête"
    with time_machine.travel(dt.datetime(2027, 1, 5, 12, tzinfo=dt.UTC), tick=False):
        assert site.official(1).start().heading == "Merci de votre visite"


def test_after_the_closing_nothing_is_saved_any_more(site: LinkSite) -> None:
    """Neither between the closing and the mixing, nor after it, nor past the last day."""
    late, later = site.official(0).start(), site.official(1).start()
    with site.app.app_context():
        invited.close()
    late.send("save", contact_frequency="weekly").follow()
    assert (late.heading, site.count(SavedInterview)) == ("Cette enquête est terminée", 0)
    with site.app.app_context():
        finish(invited.WAVE, actor="test")
    later.send("save", contact_frequency="weekly").follow()
    assert (later.heading, site.count(SavedInterview)) == ("Cette enquête est terminée", 0)


def test_past_the_last_day_nothing_is_saved_though_nobody_closed(site: LinkSite) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        official = site.official(0).start()
        clock.shift(dt.timedelta(days=22))
        official.send("save", contact_frequency="weekly").follow()
    assert (official.heading, site.count(SavedInterview)) == ("Cette enquête est terminée", 0)


def test_who_began_on_the_last_day_may_end_after_midnight(site: LinkSite) -> None:
    last = today_in_paris() + dt.timedelta(days=20)
    evening = dt.datetime.combine(last, dt.time(22, 30), dt.UTC).replace(hour=21)
    with time_machine.travel(evening, tick=False) as clock:
        official = site.official(0).start()
        other = site.official(1).start()
        clock.move_to(evening + dt.timedelta(hours=3))
        assert official.answer_all().heading.startswith("Merci")
        clock.move_to(evening + dt.timedelta(hours=14))
        assert other.answer_all().heading == "Cette enquête est terminée"
    assert site.count(SealedAnswer) == 1


def test_before_its_first_day_a_link_says_when(tmp_path: Path) -> None:
    site = LinkSite(tmp_path, opens_on=today_in_paris() + dt.timedelta(days=3))
    official = site.official(0).start()
    assert official.heading == "Cette enquête n’a pas commencé"
    assert official.page is not None
    assert (official.status, site.state(0)) == (200, "waiting")


def test_the_questions_can_be_printed_beforehand(site: LinkSite) -> None:
    official = site.official(0).start()
    assert "/r/questions/elus/fr" in official.html
    official.open("/r/questions/elus/fr")
    assert "Qui répond à ce questionnaire" in official.words()
    assert "Pour répondre, ouvrez votre lien personnel" in official.words()
    assert "accueil." not in official.words()
    assert official.open("/r/questions/inconnu/fr").status == 404


def test_a_page_without_its_field_asks_for_the_link_again(site: LinkSite) -> None:
    official = site.official(0).start()
    fields = official.fields()
    fields["_state"] = "x" * 40
    assert official.post(fields).heading == "Rouvrez votre lien"
    assert official.status == 422
    assert official.open("/r/questionnaire/fr").heading == "Rouvrez votre lien"


def test_a_state_of_the_website_is_no_state_of_a_link(site: LinkSite) -> None:
    from survey_app.clock import utc_now
    from survey_app.form_state import new_state, seal

    with site.app.app_context():
        state = new_state(slug="elus", wave=invited.WAVE, digest="d", site="", practice=False, now=utc_now())
        sealed = seal(state, site.app.config["SECRET_KEY"])
    official = site.official(0).start()
    fields = official.fields()
    fields["_state"] = sealed
    assert official.post(fields).status == 422


def test_a_stranger_s_page_cannot_press_the_buttons(site: LinkSite) -> None:
    client = site.app.test_client()
    for address in ("/r/questionnaire/fr", "/r/lien/refuser/fr"):
        sent = client.post(
            address, data={"_link": site.token(0), "_sure": "1"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert sent.status_code == 403
    assert site.state(0) == "waiting"


def test_the_french_of_every_page_keeps_its_typography(site: LinkSite) -> None:
    texts = []
    for kind in ("merci", "enregistre", "deja", "fini"):
        texts.append(site.official(0).open(f"/r/{kind}/fr").html)
    for act in ("transmettre", "refuser", "erreur"):
        texts.append(site.official(0).press(act).html)
    texts.append(site.official(0).start().html)
    import re

    words = [re.sub(r"<script.*?</script>|<[^>]+>", " ", text, flags=re.DOTALL) for text in texts]
    assert typography_faults(words) == []
