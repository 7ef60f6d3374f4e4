"""The relay for trials takes everything, delivers nothing, and shows it without carrying it out."""

from __future__ import annotations

import smtplib  # noqa: TID251 (any program may hand mail to it)
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from survey_app.mailing.composing import compose
from survey_app.mailing.sink import Sink, SinkError
from survey_app.mailing.smtp import Relay
from tests.browsers import free_port
from tests.page_checks import assert_good_pages
from tests.survey_app.mailing import field
from tests.survey_app.mailing.test_messages import _composition


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink(free_port(), free_port()) as found:
        yield found


def get(sink: Sink, path: str, **headers: str) -> tuple[str, dict[str, str]]:
    with urllib.request.urlopen(
        urllib.request.Request(sink.address + path, headers=headers), timeout=10
    ) as answer:
        return answer.read().decode(), dict(answer.headers)


def send(sink: Sink, subject: str = "L’objet <b>gras</b>") -> None:
    composition = _composition(name="Jean-Noël Être", subject=subject)
    relay = Relay(sink.settings(field.SENDER))
    relay.open()
    delivered = relay.deliver(field.SENDER, composition.recipient, compose(composition))
    relay.close()
    assert delivered.fate == "sent"


def test_a_message_is_listed_with_its_text_page_and_source(sink: Sink) -> None:
    assert "Aucun message encore" in get(sink, "")[0]
    send(sink)
    assert "L’objet &lt;b&gt;gras&lt;/b&gt;" in get(sink, "")[0]
    page, headers = get(sink, "1")
    assert "<pre>Texte" in page
    assert 'sandbox title="Le message comme page" src="/1/page.html"' in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert get(sink, "1/source.txt")[0].startswith("From:")


def test_the_page_of_a_message_carries_nothing_out(sink: Sink) -> None:
    send(sink)
    html, headers = get(sink, "1/page.html")
    assert "Texte" in html
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_its_pages_are_good_pages(sink: Sink) -> None:
    empty = get(sink, "")[0]
    send(sink, "Objet")
    assert_good_pages({"empty": (empty, "fr"), "list": (get(sink, "")[0], "fr")})


@pytest.mark.parametrize("path", ["2", "1/nothing", "1/../../etc/passwd", "source.txt"])
def test_other_addresses_lead_nowhere(sink: Sink, path: str) -> None:
    send(sink)
    with pytest.raises(urllib.error.HTTPError) as told:
        get(sink, path)
    told.value.close()
    assert told.value.code == 404


def test_a_foreign_name_for_this_machine_is_refused(sink: Sink) -> None:
    with pytest.raises(urllib.error.HTTPError) as told:
        get(sink, "", Host="evil.test")
    told.value.close()
    assert told.value.code == 400


def test_it_takes_addresses_with_accents(sink: Sink) -> None:
    with smtplib.SMTP("127.0.0.1", sink.settings("a@b.fr").port) as line:
        line.ehlo()
        assert line.has_extn("smtputf8")


def test_a_port_that_is_taken_is_one_line() -> None:
    with Sink(free_port(), free_port()) as first, pytest.raises(SinkError, match="occupé"):
        Sink(first.settings("a@b.fr").port, free_port()).__enter__()
