"""The messages that a relay received, parsed back: what an official's program would show of them."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from survey_app.clock import utc_now
from survey_app.database import Base, db
from survey_app.invitation_models import Invitation
from survey_app.invitations.links import link_address, unsubscribe_address
from survey_app.mailing import planning
from survey_app.mailing.composing import AddressError, Composition, address, compose, html_of
from survey_app.mailing.sender import Sender
from survey_app.mailing.texts import INVITATION
from survey_app.settings import Settings
from tests.page_checks import typography_faults, validator_faults
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay, listening
from tests.survey_app.mailing.test_sending import drain

HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type"),
}


class Remote(HTMLParser):
    """What a page would fetch or run, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[tuple[str, str]] = []
        self.fetched: list[str] = []
        self._href: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.fetched += [f"{name}={given[name]}" for name in ("src", "background", "srcset") if name in given]
        if "url(" in (given.get("style") or ""):
            self.fetched.append(str(given["style"]))
        self._href = given.get("href") if tag == "a" else self._href

    def handle_data(self, data: str) -> None:
        if self._href is not None:
            self.links.append((self._href, data))
            self._href = None


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def parsed(message: EmailMessage) -> EmailMessage:
    found = message_from_bytes(message.as_bytes(), policy=default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.fixture
def received(on_sqlite: Settings, relay: ScriptedRelay) -> dict[str, EmailMessage]:
    """Commune's mailbox → its message."""
    field.open_a_list()
    field.planned()
    drain(Sender(on_sqlite))
    return {one.recipients[0]: one.message for one in relay.accepted}


def test_the_headers_are_those_of_an_honest_mail(
    received: dict[str, EmailMessage], relay: ScriptedRelay
) -> None:
    message = received["mairie2@commune.test"]
    assert set(message.keys()) == HEADERS
    assert message["From"].addresses[0].display_name == "Préfecture des Deux-Sèvres"
    assert message["From"].addresses[0].addr_spec == field.SENDER
    assert message["To"].addresses[0] == Address("Anne-Sophie D’Hérouville", "mairie2", "commune.test")
    assert message["Subject"].startswith("Enquête annuelle auprès des élus\u00a0: votre avis")
    assert all(
        len(line) <= 78 or line.startswith(b"List-Unsubscribe: <https")
        for line in _head(relay.accepted[0].raw)
    )


def test_the_return_path_and_the_message_are_named_in_the_queue(
    received: dict[str, EmailMessage], relay: ScriptedRelay
) -> None:
    queue = {one.message_id: one for one in field.messages()}
    for one in relay.accepted:
        kept = queue[one.message["Message-ID"]]
        assert one.return_path == f"enquete+{kept.return_tag}@deux-sevres.test"
        assert re.fullmatch(r"[0-9a-f]{20}", kept.return_tag)


def test_each_message_carries_the_link_of_its_own_invitation_in_both_parts(
    received: dict[str, EmailMessage],
) -> None:
    for invitation in db.session.query(Invitation):
        message = received[str(invitation.email)]
        for kind in ("plain", "html"):
            assert part(message, kind).count(link_address(invitation)) == (1 if kind == "plain" else 2)
        assert message["List-Unsubscribe"] == f"<{unsubscribe_address(invitation)}>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_shared_mailbox_gets_the_link_of_each_of_its_officials(
    on_sqlite: Settings, relay: ScriptedRelay
) -> None:
    numbers = field.open_a_list()
    for number in numbers:
        field.change_invitation(number, email="secretariat@pays.test")
    field.planned()
    drain(Sender(on_sqlite))
    assert [one.recipients for one in relay.accepted] == [["secretariat@pays.test"]] * 3
    texts = [part(one.message, "plain") for one in relay.accepted]
    links = [link_address(one) for one in db.session.query(Invitation)]
    assert [sum(link in text for text in texts) for link in links] == [1, 1, 1]
    assert len({one.message["To"] for one in relay.accepted}) == 3  # each names its own official


@pytest.mark.abuse("AC-14")
def test_the_queue_holds_neither_text_nor_link(received: dict[str, EmailMessage]) -> None:
    secrets = [link_address(one).rpartition("/")[2] for one in db.session.query(Invitation)]
    tables = Base.metadata.sorted_tables
    dump = "\n".join(str(db.session.execute(sa.select(*table.columns)).all()) for table in tables)
    assert secrets
    assert not [secret for secret in secrets if secret in dump]


def test_the_text_reads_well_for_each_recipient(received: dict[str, EmailMessage]) -> None:
    texts = {name: part(message, "plain") for name, message in received.items()}
    assert texts["mairie2@commune.test"].startswith("Madame la Maire,\n")
    assert "pour L’Absie\u00a0:" in texts["mairie2@commune.test"]
    assert texts["mairie3@commune.test"].startswith("Monsieur le Maire,\n")
    assert texts["mairie4@commune.test"].startswith("Madame, Monsieur,\n")
    for text in texts.values():
        assert "{" not in text
        assert typography_faults(text.splitlines()) == []
        for words in ("Hélène D’Aubigné", "05 49 00 00 00", "https://www.deux-sevres.test/enquete-elus"):
            assert words in text


def test_the_html_says_the_same_fetches_nothing_and_hides_no_address(
    received: dict[str, EmailMessage],
) -> None:
    for message in received.values():
        page = Remote()
        html = part(message, "html")
        page.feed(html)
        assert page.fetched == []
        assert page.tags <= {"html", "head", "meta", "title", "body", "div", "p", "br", "a"}
        assert [href for href, shown in page.links if href != shown] == []
        assert len(page.links) == 3
        assert all(href.startswith(("https://enquete.deux", "https://www.deux")) for href, _ in page.links)
        words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.partition("</head>")[2]))
        for line in filter(None, part(message, "plain").splitlines()):
            assert line.startswith("---") or re.sub(r"\s+", " ", line) in words


def test_the_html_is_valid(received: dict[str, EmailMessage]) -> None:
    html = part(received["mairie2@commune.test"], "html")
    assert [fault for fault in validator_faults({"mail": html}) if "no-inline-style" not in fault] == []


def test_a_letter_goes_with_every_message_as_it_was_given(on_sqlite: Settings, relay: ScriptedRelay) -> None:
    field.open_a_list()
    letter = b"%PDF-1.7\n" + bytes(range(256)) * 40
    given = ("Lettre de la préfète – résultats.pdf", letter)
    mailing = planning.create_mailing(field.WAVE, INVITATION, actor="test", attachment=given)
    planning.schedule(mailing.id, utc_now(), field.FAST, actor="test")
    drain(Sender(on_sqlite))
    for one in relay.accepted:
        attached = list(one.message.iter_attachments())
        assert [(part.get_filename(), part.get_content_type()) for part in attached] == [
            (given[0], "application/pdf")
        ]
        assert attached[0].get_content() == letter
        assert "{" not in part(one.message, "plain")
        assert part(one.message, "html").startswith("<!doctype html>")


HOSTILE = st.text(
    alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from("\r\n\t\0,;:<>@\"()[]\\'=?é’\u2028"),
    max_size=60,
)


@pytest.mark.abuse("AC-67")
@given(name=HOSTILE, subject=HOSTILE)
def test_no_name_and_no_subject_adds_a_header(name: str, subject: str) -> None:
    message = compose(_composition(name=name, subject="Objet " + subject))
    head = message.as_bytes().partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert sorted(names) == sorted(HEADERS)
    found = parsed(message)
    assert found["To"].addresses[0].addr_spec == "mairie@commune.test"
    assert len(found["To"].addresses) == 1


@pytest.mark.abuse("AC-60")
@given(HOSTILE)
def test_no_text_becomes_markup(text: str) -> None:
    page = Remote()
    page.feed(
        html_of(
            text, f"<img src=x onerror=alert(1)>{text}\n\n<script>{text}</script>", ["javascript:alert(1)"]
        )
    )
    assert page.tags <= {"html", "head", "meta", "title", "body", "div", "p", "br"}


@pytest.mark.abuse("AC-61")
@pytest.mark.parametrize(
    "address_of_link", ["javascript:alert(1)", "data:text/html,x", " https://a.fr", "//a.fr", ""]
)
def test_only_addresses_of_the_web_become_links(address_of_link: str) -> None:
    page = Remote()
    page.feed(html_of("Objet", f"Voir {address_of_link} ici", [address_of_link]))
    assert page.links == []


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("mairie@saint-pompain.fr", "mairie@saint-pompain.fr"),
        ("mairie@l’absie.fr".replace("’", "-"), "mairie@l-absie.fr"),
        ("mairie@bressuire-élus.fr", "mairie@xn--bressuire-lus-khb.fr"),
        ("o'brien@commune.fr", "o'brien@commune.fr"),
    ],
)
def test_addresses_as_they_are(email: str, expected: str) -> None:
    assert address("Nom", email).addr_spec == expected


@pytest.mark.parametrize(
    "email", ["", "mairie", "a@b@c.fr", "a b@c.fr", "a@c.fr\r\nBcc: d@e.fr", "mairie@", "@a.fr"]
)
def test_an_address_that_mail_cannot_use_is_refused(email: str) -> None:
    with pytest.raises(AddressError):
        address("Nom", email)


@pytest.mark.parametrize("utf8", [True, False])
def test_an_address_with_accents_before_the_at_needs_a_relay_that_knows_them(
    on_sqlite: Settings, sqlite_app_database: object, tmp_path: object, utf8: bool
) -> None:
    numbers = field.open_a_list(field.many(2))
    field.change_invitation(numbers[0], email="élue@commune-d-été.test")
    field.planned()
    with listening(enable_SMTPUTF8=utf8) as relay:
        settings = replace(on_sqlite, mail=field.mail_settings(relay.port))
        drain(Sender(settings))
        assert field.states() == (["sent", "sent"] if utf8 else ["refused", "sent"])
        if utf8:
            assert relay.accepted[0].recipients == ["élue@xn--commune-d-t-kbbb.test"]
            assert "élue@xn--commune-d-t-kbbb.test".encode() in relay.accepted[0].raw


def _head(raw: bytes) -> list[bytes]:
    return raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


def _composition(*, name: str, subject: str) -> Composition:
    return Composition(
        sender=address("Préfecture des Deux-Sèvres", field.SENDER),
        recipient=address(name, "mairie@commune.test"),
        subject=subject,
        body="Texte\n",
        links=(),
        unsubscribe="https://enquete.deux-sevres.test/r/desinscription/" + "A" * 86,
        message_id="<0@deux-sevres.test>",
    )
