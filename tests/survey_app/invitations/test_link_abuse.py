"""Scanning, leaking, confusing and comparing: what people try with personal links."""

from __future__ import annotations

import io
import json
import logging
import re
import secrets
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app.access import ROLES
from survey_app.collection_modes import personal_link
from survey_app.database import Base, db
from survey_app.enrolment import make_code
from survey_app.form_records import receipt_code
from survey_app.invitation_models import Invitation, SealedAnswer
from survey_app.invitations import links, transitions
from survey_app.invitations.mixing import finish
from survey_app.responses import counts
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.link_site import HERE, LinkSite, Official, same_page
from tests.survey_app.staff_site import StaffSite
from tests.survey_app.test_safe_methods import content_hash, values

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Outlook",
    "Mozilla/5.0 (compatible; Barracuda Sentinel)",
    "Mozilla/5.0 (compatible; BingPreview/1.0b)",
    "Microsoft Office/16.0 (Microsoft Outlook 16.0)",
    "Slackbot-LinkExpanding 1.0",
    "WhatsApp/2.23",
    "facebookexternalhit/1.1",
    "Proofpoint URL Defense",
    "curl/8.5",
    "",
)


@pytest.fixture
def site(tmp_path: Path) -> LinkSite:
    return LinkSite(tmp_path)


@pytest.mark.abuse("AC-12")
def test_scanners_and_previews_change_nothing(site: LinkSite) -> None:
    site.official(1).start().send("save")
    token = site.token(0)
    with site.app.app_context():
        before = content_hash()
    client = site.app.test_client()
    for place in range(50):
        client.open(
            f"/r/{token}",
            method=("GET", "HEAD", "OPTIONS")[place % 3],
            headers={"User-Agent": AGENTS[place % 10], "Purpose": "prefetch"},
        )
    with site.app.app_context():
        assert content_hash() == before
        site.official(0).start()
        assert content_hash() != before  # control: the button is what changes something


def test_the_page_of_a_link_has_no_script_that_could_press_its_button(site: LinkSite) -> None:
    assert "<script" not in site.official(0).open(f"/r/{site.token(0)}").html


@pytest.mark.abuse("AC-19")
@pytest.mark.abuse("AC-11")
def test_the_page_is_the_same_for_a_link_that_is_unknown_used_dead_or_good(site: LinkSite) -> None:
    site.official(1).start().answer_all()
    site.official(2).press("erreur").sure()
    tokens = [site.token(0), site.token(1), site.token(2), secrets.token_urlsafe(24)]
    client = site.app.test_client()
    for method in ("GET", "HEAD"):
        answers = [client.open(f"/r/{token}", method=method) for token in tokens]
        assert all(same_page(answers[0], answer, *tokens) for answer in answers[1:])
    page = client.get(f"/r/{tokens[0]}").text
    assert not re.search(r"Martin|Commune \d|mairie\d", page)


@pytest.mark.abuse("AC-18")
def test_the_form_of_twenty_officials_is_the_same_to_the_byte(site: LinkSite) -> None:
    pages = set()
    for place in range(20):
        official = site.official(place).start()
        assert official.page is not None
        states = re.findall(r'name="_state" value="([^"]+)"', official.html)
        assert len(states) == 1
        pages.add((official.html.replace(states[0], "*"), str(sorted(official.page.headers.items()))))
    assert len({html for html, _headers in pages}) == 1
    assert len({len(headers) for _html, headers in pages}) == 1


def everything_stored(site: LinkSite) -> str:
    with site.app.app_context(), db.engine.connect() as connection:
        return "".join(
            repr(row)
            for table in Base.metadata.sorted_tables
            for row in connection.execute(sa.select(table)).all()
        )


@pytest.mark.abuse("AC-14")
def test_the_link_is_in_no_log_no_page_after_the_button_and_not_in_the_database(
    site: LinkSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, code = site.token(0), site.code(0)
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    with caplog.at_level(logging.DEBUG):
        official = site.official(0)
        pages = [official.start().html]
        pages.append(official.send("save").follow().html)
        with monkeypatch.context() as patch:
            patch.setattr(transitions, "begin", lambda _holder: 1 / 0)
            broken = site.official(0).start()
            assert broken.status == 500
            pages.append(broken.html)
        pages.append(site.official(0).start().answer_all().html)
        pages.append(site.official(0).start().html)
    assert "ZeroDivisionError" in caplog.text  # control: what went wrong is in the log
    for secret in (token, code, code.replace("-", "")):
        assert secret not in caplog.text
        assert not any(secret in page for page in pages)
        assert secret not in everything_stored(site)


@pytest.mark.abuse("AC-14")
def test_no_page_learns_from_which_link_somebody_came(site: LinkSite) -> None:
    client = site.app.test_client()
    for address in (f"/r/{site.token(0)}", "/r/", "/r/questionnaire/fr"):
        policies = client.get(address).headers.getlist("Referrer-Policy")
        assert policies == ["strict-origin"]
    assert client.get("/").headers["Referrer-Policy"] == "same-origin"


@pytest.mark.abuse("AC-15")
def test_no_secret_of_one_purpose_is_taken_for_another(site: LinkSite) -> None:
    with site.app.app_context():
        invitation = invited.invitation(site.numbers[0])
        known = {
            "link": links.token(invitation),
            "code": links.letter_code(invitation),
            "unsubscribe": links.unsubscribe_token(invitation),
            "enrolment": make_code(
                name="A", site="accueil_general", slugs=["elus"], languages=["fr"], created_by="test"
            ),
            "receipt": receipt_code("x", site.app.config["SECRET_KEY"]),
        }
    accepted = {(name, door) for name, secret in known.items() for door in doors_that_open(site, secret)}
    assert accepted == {(name, name) for name in known}


def doors_that_open(site: LinkSite, secret: str) -> Iterator[str]:
    """Every place where a secret is asked for, tried with this one."""
    client = site.app.test_client()
    for field, door in (("_link", "link"), ("_code", "code")):
        if client.post("/r/questionnaire/fr", data={field: secret}, headers=HERE).status_code == 200:
            yield door
    with site.app.app_context():
        if links.read_unsubscribe_token(secret) is not None:
            yield "unsubscribe"
    body = json.dumps({"code": secret, "app_digest": "a" * 64})
    sent = client.post(
        "/api/v1/devices/enrol", data=body, headers={**HERE, "Content-Type": "application/json"}
    )
    if sent.status_code in (200, 201):
        yield "enrolment"
    if secret.partition(".")[0] in client.get(f"/q/elus/fr/merci?recu={secret}").text:
        yield "receipt"


@pytest.mark.abuse("AC-24")
def test_the_figures_of_an_open_wave_do_not_grow_with_each_answer(database: Flask) -> None:
    numbers = invited.a_wave(30)
    for number in numbers[:12]:
        invited.answer(number)
        assert counts.cells(invited.WAVE) == []
        assert counts.fieldwork(invited.WAVE).counted == 0
    invited.close()
    finish(invited.WAVE, actor="test")
    assert counts.fieldwork(invited.WAVE).counted == 12


SENTINEL = "La secrétaire de notre mairie est en retard"


@pytest.fixture
def mixed_site(tmp_path: Path) -> StaffSite:
    """The staff's pages with a wave by personal link that was mixed."""
    site = StaffSite(tmp_path)
    with site.database():
        numbers = invited.a_wave(30)
        for number in numbers[:24]:
            invited.answer(number, {**invited.ANSWERS, "comment": SENTINEL})
        invited.close()
        finish(invited.WAVE, actor="test")
    return site


def pages_for(site: StaffSite, role: str | None) -> Iterator[tuple[str, bytes]]:
    """Every page that this role can read."""
    client = site.client(role)
    known = {**values("0" * 64), "wave_id": invited.WAVE, "slug": "elus"}
    for route in site.app.url_map.iter_rules():
        if "GET" not in (route.methods or set()) or set(route.arguments) - set(known):
            continue
        adapter = site.app.url_map.bind("localhost")
        address = adapter.build(route.endpoint, {name: known[name] for name in route.arguments})
        with client.get(address) as answer:
            if answer.status_code == 200:
                yield address, answer.get_data()


@pytest.mark.abuse("AC-25")
@pytest.mark.abuse("AC-26")
def test_free_texts_and_invitations_are_for_the_referent_alone(mixed_site: StaffSite) -> None:
    with mixed_site.database():
        numbers = [one.encode() for one in db.session.scalars(sa.select(Invitation.id))]
    reads = {
        role
        for role in (None, *ROLES)
        if any(SENTINEL.encode() in page for _, page in pages_for(mixed_site, role))
    }
    assert reads == {"referent"}
    for role in (None, *ROLES):
        if role != "referent":
            for address, page in pages_for(mixed_site, role):
                assert not any(number in page for number in numbers), (role, address)


@pytest.mark.abuse("AC-29")
def test_a_workbook_that_leaves_names_nobody_as_its_author(mixed_site: StaffSite) -> None:
    with mixed_site.client().get(f"/gestion/exports/{invited.WAVE}/classeur") as answer:
        content = answer.get_data()
    with zipfile.ZipFile(io.BytesIO(content)) as workbook:
        properties = workbook.read("docProps/core.xml").decode()
    assert re.findall(r"<(?:dc:creator|cp:lastModifiedBy)>([^<]+)<", properties) == []


def test_a_used_link_leaves_no_second_blob_whatever_is_sent_again(site: LinkSite) -> None:
    official = site.official(0).start().answer_all()
    assert isinstance(official, Official)
    for _again in range(5):
        site.official(0).start()
    assert site.count(SealedAnswer) == 1
    assert personal_link.ENDS.keys() == {"merci", "enregistre", "deja", "fini"}


@pytest.mark.abuse("AC-13")
def test_two_people_who_press_the_last_button_at_once_give_one_answer(site: LinkSite) -> None:
    """Through the whole way of a request: one is thanked, the other is told that it was used."""
    for place in range(10):
        both = [site.official(place).start(), site.official(place).start()]
        for official in both:
            while "Envoyer mes réponses" not in official.html:
                asked = 'name="overall_opinion"' in official.html
                said = {"overall_opinion": official.first_option("overall_opinion")} if asked else {}
                official.send(**said)
        start = threading.Barrier(2)

        def press(official: Official, start: threading.Barrier = start) -> None:
            start.wait()
            official.send()

        racers = [threading.Thread(target=press, args=(official,)) for official in both]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        headings = sorted(official.follow().heading for official in both)
        assert headings == ["Merci, vos réponses sont enregistrées", "Une réponse est enregistrée"]
        assert site.count(SealedAnswer) == place + 1
