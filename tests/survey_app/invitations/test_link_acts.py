"""Handed on and back, refused, taken back, issued anew: one link alive at a time, one answer in the end."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from survey_app.database import db, write_transaction
from survey_app.invitation_models import Invitation, Objection, SavedInterview, SealedAnswer
from survey_app.invitations import links, transitions
from survey_app.invitations.objections import objects
from survey_app.invitations.redemption import Holder
from survey_app.invitations.states import AlreadyAnswered, LinkError
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.link_site import LinkSite, Official


@pytest.fixture
def site(tmp_path: Path) -> LinkSite:
    return LinkSite(tmp_path)


def new_link(official: Official) -> str:
    """The path of the link that the page shows."""
    (address,) = re.findall(r'<textarea id="new-link"[^>]* readonly[^>]*>([^<]+)</textarea>', official.html)
    return unescape(address).removeprefix("http://127.0.0.1:8000")


def test_a_link_is_handed_on_and_back_and_gives_one_answer(site: LinkSite) -> None:
    official = site.official(0).start()
    official.send("save", contact_frequency="weekly")
    official.press("transmettre").sure(_to="address", _address="secretariat@exemple.fr")
    assert official.heading == "Voici le nouveau lien"
    secretary = Official(site, new_link(official))
    assert site.row(0)["email"] == "secretariat@exemple.fr"
    assert Official(site, official.address).start().heading == "Ce lien n’ouvre rien"
    assert "weekly" in secretary.start().html
    secretary.press("transmettre")
    assert "De nouveau à la première adresse" in secretary.words()
    secretary.sure(_to="back")
    assert (site.row(0)["email"], site.row(0)["passed_on"]) == ("mairie0@exemple.fr", False)
    again = Official(site, new_link(secretary))
    assert secretary.start().heading == "Ce lien n’ouvre rien"
    assert again.start().answer_all().heading.startswith("Merci")
    assert site.count(SealedAnswer) == 1
    site.close()
    assert [said for said in site.mixed() if said.get("contact_frequency") == ["weekly"]]


def test_a_link_handed_over_by_hand_leaves_the_reminders_where_they_were(site: LinkSite) -> None:
    official = site.official(0).press("transmettre").sure()
    assert site.row(0)["email"] == "mairie0@exemple.fr"
    assert site.row(0)["passed_on"]
    assert Official(site, new_link(official)).start().status == 200


@pytest.mark.parametrize("address", ["", "pas une adresse", "a@b@c.fr", "a@exemple.fr\nBcc: x@y.fr"])
def test_no_link_is_handed_on_to_what_is_no_address(site: LinkSite, address: str) -> None:
    official = site.official(0).press("transmettre").sure(_to="address", _address=address)
    assert official.status == 422
    assert "Écrivez une adresse de courriel complète" in official.words()
    assert site.row(0)["generation"] == 1


def test_somebody_who_began_with_the_old_link_cannot_end_with_it(site: LinkSite) -> None:
    official = site.official(0).start()
    site.official(0).press("transmettre").sure()
    assert official.answer_all_until_dead() == "Ce lien ne sert plus"
    assert site.count(SealedAnswer) == 0


def test_a_refusal_ends_the_reminders_and_may_be_thought_over(site: LinkSite) -> None:
    official = site.official(0).press("refuser").sure()
    assert (official.heading, site.state(0)) == ("C’est noté", "declined")
    assert site.official(0).start().answer_all().heading.startswith("Merci")
    assert site.state(0) == "answered"


def test_a_lasting_refusal_is_kept_as_a_hash_and_closes_the_link(site: LinkSite) -> None:
    official = site.official(0).press("refuser").sure(_sure="for_good")
    assert (official.heading, site.state(0)) == ("Nous ne vous écrirons plus", "objected")
    assert site.official(0).start().heading == "Ce lien ne sert plus"
    with site.app.app_context():
        assert objects(db.session(), "mairie0@exemple.fr")
        assert not objects(db.session(), "mairie1@exemple.fr")


def test_who_got_the_link_by_hand_does_not_silence_the_mailbox_it_came_to(site: LinkSite) -> None:
    """Of the town hall, which shares it, for all surveys to come."""
    official = site.official(0).press("transmettre").sure(_to="hand")
    colleague = Official(site, new_link(official)).press("refuser").sure(_sure="for_good")
    assert (colleague.heading, site.state(0)) == ("C’est noté", "declined")
    with site.app.app_context():
        assert not objects(db.session(), "mairie0@exemple.fr")


def test_who_got_the_link_at_an_address_of_their_own_silences_that_one(site: LinkSite) -> None:
    official = site.official(0).press("transmettre").sure(_to="address", _address="secretariat@exemple.fr")
    Official(site, new_link(official)).press("refuser").sure(_sure="for_good")
    with site.app.app_context():
        assert objects(db.session(), "secretariat@exemple.fr")
        assert not objects(db.session(), "mairie0@exemple.fr")


def test_each_act_asks_before_it_does_anything(site: LinkSite) -> None:
    before = site.row(0)
    for act in ("transmettre", "refuser", "erreur"):
        assert site.official(0).press(act).status == 200
    assert site.row(0) == before


def test_the_code_of_a_letter_can_be_handed_on_too(site: LinkSite) -> None:
    official = Official(site, "/r/")
    official.open("/r/")
    sent = official.fields()
    sent["_code"] = site.code(4)
    official.page = official.client.post("/r/lien/transmettre/fr", data=sent)
    official.sure()
    assert official.heading == "Voici le nouveau lien"
    assert site.row(4)["generation"] == 2


@pytest.mark.abuse("AC-17")
@pytest.mark.parametrize("transition", ["handed on", "wrong person", "objected", "revoked", "reissued"])
def test_an_old_link_is_dead_after_every_transition(site: LinkSite, transition: str) -> None:
    number, old, code = site.numbers[0], site.official(0), site.code(0)
    begun = site.official(0).start()
    with site.app.app_context():
        acts: dict[str, Callable[[], object]] = {
            "handed on": lambda: transitions.pass_on(Holder(number, 1)),
            "wrong person": lambda: transitions.say_wrong_person(Holder(number, 1)),
            "objected": lambda: transitions.object_for_good(Holder(number, 1)),
            "revoked": lambda: transitions.revoke(number, actor="test"),
            "reissued": lambda: transitions.reissue(number, actor="test", address="autre@exemple.fr"),
        }
        acts[transition]()
    assert old.start().heading in ("Ce lien n’ouvre rien", "Ce lien ne sert plus")
    letter = Official(site, "/r/").open("/r/")
    letter.send(_code=code)
    assert "Ce code n’ouvre rien" in letter.words() or letter.heading == "Ce lien ne sert plus"
    assert begun.answer_all_until_dead() == "Ce lien ne sert plus"
    assert site.count(SealedAnswer) == 0


def test_the_new_link_is_whole_on_the_page_which_says_to_keep_it(site: LinkSite) -> None:
    official = site.official(0).press("transmettre").sure()
    assert re.search(r'<textarea id="new-link"[^>]*>http', official.html)
    assert "nous ne pourrons pas vous le montrer une deuxième fois" in official.words()


def test_a_mistyped_code_stays_in_its_field_with_what_to_do(site: LinkSite) -> None:
    letter = Official(site, "/r/").open("/r/")
    letter.send(_code='ABCD-"EFGH"')
    assert letter.status == 404
    assert "Comparez-le à celui de votre lettre" in letter.words()
    assert letter.fields()["_code"] == 'ABCD-"EFGH"'
    letter.send(_code=site.code(0))
    assert letter.answer_all().heading.startswith("Merci")


@pytest.mark.parametrize("act", ["transmettre", "refuser", "erreur"])
def test_a_page_that_asks_changes_its_language_and_does_nothing(site: LinkSite, act: str) -> None:
    official = site.official(0).press(act)
    assert re.search(
        r'<button class="enter-key" form="act" name="_sure"', official.html
    )  # before any language
    address = f"/r/lien/{act}/en"
    assert f'<button form="act" formaction="{address}"' in official.html
    fields = official.fields()
    assert "_sure" not in fields  # only a button that says what it does brings it
    official.page = official.client.post(address, data=fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert 'lang="en"' in official.html
    assert site.state(0) == "waiting"
    official.sure()
    assert site.row(0)["passed_on"] or site.state(0) != "waiting"


@pytest.mark.abuse("AC-17")
def test_a_bounce_stops_the_mails_and_a_letter_still_opens_the_form(site: LinkSite) -> None:
    with site.app.app_context(), write_transaction() as transaction:
        transitions.mark_unreachable(transaction, transaction.get_one(Invitation, site.numbers[0]))
    assert site.state(0) == "unreachable"
    letter = Official(site, "/r/").open("/r/")
    letter.send(_code=site.code(0))
    assert letter.answer_all().heading.startswith("Merci")


def test_the_referent_issues_a_link_anew_to_the_right_address(site: LinkSite) -> None:
    site.official(0).press("erreur").sure()
    assert site.state(0) == "wrong_person"
    with site.app.app_context():
        transitions.reissue(site.numbers[0], actor="test", address="bonne@exemple.fr")
    assert (site.row(0)["email"], site.state(0)) == ("bonne@exemple.fr", "waiting")
    assert site.official(0).start().answer_all().heading.startswith("Merci")


def test_a_draft_does_not_follow_a_link_to_another_address_of_the_referent(site: LinkSite) -> None:
    site.official(0).start().send("save", contact_frequency="weekly")
    with site.app.app_context():
        transitions.reissue(site.numbers[0], actor="test", address="bonne@exemple.fr")
    assert site.count(SavedInterview) == 0


def test_an_answered_invitation_is_neither_taken_back_nor_issued_anew(site: LinkSite) -> None:
    site.official(0).start().answer_all()
    with site.app.app_context():
        for act in (transitions.revoke, transitions.reissue):
            with pytest.raises(AlreadyAnswered):
                act(site.numbers[0], actor="test")
        with pytest.raises(LinkError):
            transitions.revoke("0" * 32, actor="test")
    assert site.state(0) == "answered"


def test_unsubscribing_silences_the_address_of_the_mail_and_not_the_next_holder(site: LinkSite) -> None:
    with site.app.app_context():
        invitation = invited.invitation(site.numbers[0])
        old = links.unsubscribe_token(invitation)
        transitions.pass_on(Holder(site.numbers[0], 1), address="secretariat@exemple.fr")
        assert transitions.unsubscribe(old)
        assert objects(db.session(), "mairie0@exemple.fr")
        assert not objects(db.session(), "secretariat@exemple.fr")
        assert invited.invitation(site.numbers[0]).state == "waiting"
        assert transitions.unsubscribe(links.unsubscribe_token(invited.invitation(site.numbers[0])))
        assert invited.invitation(site.numbers[0]).state == "objected"
        assert not transitions.unsubscribe("n’importe quoi")
    assert site.count(Objection) == 2
