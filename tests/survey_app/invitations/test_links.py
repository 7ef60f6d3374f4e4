"""A link is a secret that the database does not know; a code survives the hand that types it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from survey_app.invitation_models import Invitation, SampledUnit, random_number
from survey_app.invitations import links
from survey_app.settings import testing as settings_for_tests

PURPOSES = {
    "link": links.token,
    "letter": links.letter_code,
    "unsubscribe": links.unsubscribe_token,
}


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Flask]:
    app = Flask("links_under_test")
    app.extensions["survey_settings"] = settings_for_tests(
        data_folder=tmp_path, public_url="https://enquete.example.org"
    )
    with app.app_context():
        yield app


def an_invitation(
    number: str | None = None, generation: int = 1, email: str | None = "mairie@a.fr"
) -> Invitation:
    unit = SampledUnit(
        authority_kind="commune", authority_code="79191", civility="M.", first_name="Jean", last_name="Petit"
    )
    return Invitation(id=number or random_number(), generation=generation, email=email, unit=unit)


def test_a_token_has_more_than_160_bits_and_is_always_the_same(application: Flask) -> None:
    invitation = an_invitation()
    token = links.token(invitation)
    assert len(base64.urlsafe_b64decode(token)) * 8 >= 160
    assert links.token(an_invitation(invitation.id)) == token


def test_no_link_ends_with_what_a_mail_program_may_leave_out(application: Flask) -> None:
    tokens = [links.token(an_invitation()) for _ in range(300)]
    assert all(token[-1].isalnum() for token in tokens)
    assert len(set(tokens)) == 300


def test_no_two_invitations_generations_or_installations_share_a_secret(application: Flask) -> None:
    first, second = an_invitation(), an_invitation()
    several = [first, second, an_invitation(first.id, 2)]
    here = [secret_of(one) for one in several for secret_of in (links.token, links.letter_code)]
    settings = application.extensions["survey_settings"]
    application.extensions["survey_settings"] = replace(
        settings, device_master_key="Z" + settings.device_master_key
    )
    there = [secret_of(one) for one in several for secret_of in (links.token, links.letter_code)]
    assert len({*here, *there}) == 12


def test_only_hashes_are_kept_and_they_do_not_hold_the_secret(application: Flask) -> None:
    invitation = an_invitation()
    links.renew_hashes(invitation)
    assert invitation.token_hash == links.token_hash(links.token(invitation))
    assert invitation.letter_code_hash == links.letter_code_hash(links.letter_code(invitation))
    assert {len(invitation.token_hash), len(invitation.letter_code_hash)} == {64}


@pytest.mark.parametrize("typed", ["{code}", " {lower} ", "{bare}", "{spaced}", "{confused}"])
def test_a_letter_code_is_understood_however_it_is_typed(application: Flask, typed: str) -> None:
    invitation = next(one for one in iter(an_invitation, None) if {"0", "1"} <= set(links.letter_code(one)))
    code = links.letter_code(invitation)
    forms = {
        "code": code,
        "lower": code.lower(),
        "bare": code.replace("-", ""),
        "spaced": code.replace("-", "\u00a0– "),
        "confused": code.replace("0", "o", 1).replace("0", "O").replace("1", "l", 1).replace("1", "I"),
    }
    assert links.letter_code_hash(typed.format(**forms)) == links.letter_code_hash(code)


def test_a_letter_code_is_three_groups_without_doubtful_letters(application: Flask) -> None:
    for _ in range(50):
        code = links.letter_code(an_invitation())
        assert [len(group) for group in code.split("-")] == [4, 4, 4]
        assert not set("ILOU") & set(code)


def test_the_hash_of_a_letter_code_needs_the_key_outside_the_database(application: Flask) -> None:
    before = links.letter_code_hash("ABCD-EFGH-JKMN")
    settings = application.extensions["survey_settings"]
    application.extensions["survey_settings"] = replace(
        settings, device_master_key="Z" + settings.device_master_key
    )
    assert links.letter_code_hash("ABCD-EFGH-JKMN") != before


@pytest.mark.abuse("AC-15")
@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_secret_of_one_purpose_opens_nothing_else(application: Flask, purpose: str) -> None:
    invitation = an_invitation()
    links.renew_hashes(invitation)
    secret = PURPOSES[purpose](invitation)
    accepted = {
        "link": links.token_hash(secret) == invitation.token_hash,
        "letter": links.letter_code_hash(secret) == invitation.letter_code_hash,
        "unsubscribe": links.read_unsubscribe_token(secret) is not None,
    }
    assert [name for name, yes in accepted.items() if yes] == [purpose]


def test_an_unsubscribe_link_names_the_address_it_was_sent_to(application: Flask) -> None:
    invitation = an_invitation(email="Mairie@A.fr ")
    found = links.read_unsubscribe_token(links.unsubscribe_token(invitation))
    assert found == (invitation.id, links.address_hash("mairie@a.fr"))


@pytest.mark.parametrize("text", ["", "é", "a", "=" * 9, "\x00", "A" * 86, "A" * 10_000])
def test_any_other_text_is_no_unsubscribe_link(application: Flask, text: str) -> None:
    assert links.read_unsubscribe_token(text) is None


def test_a_changed_unsubscribe_link_is_none(application: Flask) -> None:
    secret = links.unsubscribe_token(an_invitation())
    for place in range(0, len(secret) - 1, 7):
        other = "A" if secret[place] != "A" else "B"
        assert links.read_unsubscribe_token(secret[:place] + other + secret[place + 1 :]) is None


def test_addresses_are_those_of_the_settings(application: Flask) -> None:
    invitation = an_invitation()
    links.renew_hashes(invitation)
    assert links.link_address(invitation) == f"https://enquete.example.org/r/{links.token(invitation)}"
    assert links.unsubscribe_address(invitation).startswith("https://enquete.example.org/r/desinscription/")
    assert links.letter_address() == "https://enquete.example.org/r/"


def test_somebody_without_an_address_can_object_too(application: Flask) -> None:
    found = links.read_unsubscribe_token(links.unsubscribe_token(an_invitation(email=None)))
    assert found is not None
    assert found.address_hash == links.address_hash("M. Jean Petit commune 79191")
