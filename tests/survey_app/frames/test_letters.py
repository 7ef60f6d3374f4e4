"""The letters: one page each, in the window of the envelope, with nothing fetched."""

from __future__ import annotations

import builtins
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import weasyprint

from survey_app.access import CONTRIBUTOR, DIRECTOR
from survey_app.audit import act
from survey_app.database import db
from survey_app.definitions import organisation
from survey_app.frames.letters import (
    Letter,
    LettersUnavailable,
    Occasion,
    letters_document,
    letters_pdf,
    nothing_fetched,
    recipient_of,
)
from survey_app.invitation_models import Invitation, SampledUnit
from survey_app.invitations.links import by_letter_code, by_token
from survey_app.models import AuditEntry
from survey_app.staff import letters as staff_letters
from tests.survey_app.frames.test_staff_frames import PATH, fix, prepared
from tests.survey_app.staff_site import WAVE, StaffSite

TODAY = dt.date(2026, 11, 30)
CODE = "7K3M-9QRT-X2VB"
URL = "https://enquete.exemple.gouv.fr/r/" + "a" * 32
MILLIMETRES = 96 / 25.4
"""WeasyPrint's pixels in one millimetre."""


def a_unit(**changes: Any) -> SampledUnit:
    usual = {
        "authority_kind": "commune",
        "authority_code": "79001",
        "authority_name": "L’Absie",
        "office": "mayor",
        "civility": "Madame",
        "first_name": "Odile",
        "last_name": "VALBRÈGUE",
        "postal_address": "1 place de la Mairie\n79240 L’ABSIE",
    }
    return SampledUnit(**{**usual, **changes})


def a_letter(unit: SampledUnit | None = None) -> Letter:
    return Letter(recipient_of(unit or a_unit()), "Madame la Maire", URL, CODE)


def an_occasion(**changes: Any) -> Occasion:
    usual: dict[str, Any] = {
        "title": "Votre avis",
        "minutes": 5,
        "closes_on": TODAY,
        "written_on": TODAY,
        "source": "Répertoire national des élus",
        "source_date": dt.date(2026, 9, 1),
        "typed_address": "https://enquete.exemple.gouv.fr/r/",
    }
    return Occasion(**{**usual, **changes})


def texts_of(document: Any, number: int = 0) -> list[tuple[float, float, float, str]]:
    """(left, top, bottom, text) in millimetres of every line of a page."""
    boxes = document.pages[number]._page_box.descendants(placeholders=True)
    return [
        (
            box.position_x / MILLIMETRES,
            box.position_y / MILLIMETRES,
            (box.position_y + box.height) / MILLIMETRES,
            box.text,
        )
        for box in boxes
        if type(box).__name__ == "TextBox"
    ]


def words_of(document: Any, number: int = 0) -> str:
    return " ".join(" ".join(text for *_, text in texts_of(document, number)).split())


def test_each_letter_is_one_page_also_with_long_names(site: StaffSite) -> None:
    long_one = a_unit(
        last_name="DE-LA-TRÈS-LONGUE-LIGNE " * 4,
        authority_name="Saint-Quelque-Chose-les-Bains " * 4,
        postal_address="\n".join(["Bâtiment des services techniques " * 3] * 5 + ["79240 L’ABSIE"]),
    )
    with site.database():
        occasion = an_occasion(title="Un titre très long " * 6, service="Une direction " * 8)
        document = letters_document([a_letter(), a_letter(long_one), a_letter()], occasion, organisation())
        assert len(document.pages) == 3
        assert all(CODE in words_of(document, number) for number in range(3))


def test_the_address_stands_in_the_window_of_the_envelope(site: StaffSite) -> None:
    lines = "\n".join(["Hôtel de ville", "BP 12", "Cedex", "79240 L’ABSIE"])
    unit = a_unit(postal_address=lines)
    with site.database():
        document = letters_document([a_letter(unit)], an_occasion(), organisation())
    address = [one for one in texts_of(document) if one[3] in recipient_of(unit)]
    assert len(address) == 6
    assert min(left for left, *_ in address) >= 112
    assert min(top for _, top, _, _ in address) >= 54
    assert max(bottom for _, _, bottom, _ in address) <= 79.5
    others = [one for one in texts_of(document) if one not in address]
    assert not [one for one in others if one[0] > 105 and 45 < one[1] < 90]  # nothing else shows through


def test_a_letter_says_who_what_until_when_what_is_known_and_the_rights(site: StaffSite) -> None:
    with site.database():
        signed = an_occasion(
            signed_by=("Une directrice",), verified_at="https://prefecture.exemple.gouv.fr/elus"
        )
        page = words_of(letters_document([a_letter()], signed, organisation()))
        nominative = words_of(letters_document([a_letter()], an_occasion(nominative=True), organisation()))
    for words in (
        "Préfecture des Deux-Sèvres",
        "Madame Odile VALBRÈGUE",
        "Maire – L’Absie",
        "Madame la Maire,",
        "30 novembre 2026",
        "https://enquete.exemple.gouv.fr/r/",
        CODE,
        "Nous ne saurons pas ce que vous avez répondu",
        "Répertoire national des élus, 1er septembre 2026",
        "Une mission d’intérêt public",
        "CNIL",
        "Une directrice",
        "https://prefecture.exemple.gouv.fr/elus",
        "vous prions d’agréer, Madame la Maire, l’expression de notre considération distinguée",
    ):
        assert words in page, words
    assert "Cette enquête est nominative" in nominative
    assert "Nous ne saurons pas" not in nominative


def test_a_specimen_names_no_day_that_could_be_taken_for_the_last(site: StaffSite) -> None:
    specimen = an_occasion(specimen=True, written_on=dt.date(2026, 11, 2))
    with site.database():
        page = words_of(letters_document([a_letter()], specimen, organisation()))
    assert "Vous pouvez répondre jusqu’au [dernier jour de l’édition]" in page
    assert "30 novembre 2026" not in page


@pytest.mark.parametrize("words", range(0, 12, 2))
def test_the_address_in_the_footer_is_never_broken_after_its_scheme(site: StaffSite, words: int) -> None:
    """Wherever the text before it makes the line end."""
    address = "https://www.prefecture.exemple.gouv.fr/enquete-elus"
    with site.database():
        occasion = an_occasion(verified_at=address, source="Répertoire " * (words + 1))
        lines = texts_of(letters_document([a_letter()], occasion, organisation()))
    assert any(address in text for *_, text in lines)


def test_nothing_in_a_letter_is_markup_or_fetched(site: StaffSite, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = noted_fetches(monkeypatch)
    evil = '<img src="http://127.0.0.1:9/x.png"><link rel=stylesheet href="file:///etc/passwd"><b>gras</b>'
    with site.database():
        letter = a_letter(a_unit(last_name=evil, authority_name=evil))
        document = letters_document([letter], an_occasion(title=evil, source=evil), organisation())
        assert "<b>gras</b>" in words_of(document)
        assert document.write_pdf().startswith(b"%PDF")
    assert asked == []


def noted_fetches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whatever is asked for, before it is refused."""
    asked: list[str] = []
    real = weasyprint.urls.URLFetcher.fetch

    def noted(self: Any, url: str, headers: Any = None) -> Any:
        asked.append(url)
        return real(self, url, headers)

    monkeypatch.setattr(weasyprint.urls.URLFetcher, "fetch", noted)
    return asked


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x.png", "file:///etc/hostname", "data:image/png;base64,AA"]
)
def test_what_a_page_asks_for_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Control of the test above: with such an element in it, a page does ask."""
    asked = noted_fetches(monkeypatch)
    weasyprint.HTML(string=f'<img src="{url}">', url_fetcher=nothing_fetched()).render()
    assert asked == [url]
    with pytest.raises(ValueError, match="disallowed protocol"):
        nothing_fetched().fetch(url)


def test_the_address_of_an_authority_without_a_name_is_that_of_its_town_hall() -> None:
    unit = a_unit(civility="", first_name="", last_name="", office="")
    assert recipient_of(unit) == ("Mairie – L’Absie", "1 place de la Mairie", "79240 L’ABSIE")


def test_the_town_is_never_cut_off() -> None:
    unit = a_unit(postal_address="a\nb\nc\nd\ne\nf\n79240 L’ABSIE")
    assert len(recipient_of(unit)) == 6
    assert recipient_of(unit)[-1] == "79240 L’ABSIE"


@pytest.mark.parametrize(
    "fault", [ImportError("weasyprint"), OSError("cannot load library 'libpango-1.0-0'")]
)
def test_missing_libraries_are_told_with_the_packages_to_install(
    site: StaffSite, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    frame_id, client = prepared(site), site.client()
    real: Callable[..., Any] = builtins.__import__

    def without_weasyprint(name: str, *rest: Any, **options: Any) -> Any:
        if name == "weasyprint":
            raise fault
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_weasyprint)
    with site.database(), pytest.raises(LettersUnavailable, match="apt install libpango"):
        letters_pdf([a_letter()], an_occasion(), organisation())
    page = client.get(f"{PATH}/{frame_id}/lettre.pdf")
    assert page.status_code == 422
    assert "libpangoft2-1.0-0" in page.text


def test_the_specimen_opens_nothing_and_says_so(site: StaffSite, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept_letters(monkeypatch)
    frame_id, client = prepared(site), site.client()
    answer = client.get(f"{PATH}/{frame_id}/lettre.pdf")
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    letters, occasion = made[0]
    assert occasion.specimen
    with site.database():
        assert by_letter_code(db.session(), letters[0].code) is None


def kept_letters(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Letter], Occasion]]:
    """What is handed to the drawing of letters."""
    made: list[tuple[list[Letter], Occasion]] = []

    def drawn(letters: list[Letter], occasion: Occasion, own: Any) -> bytes:
        made.append((letters, occasion))
        return letters_pdf(letters, occasion, own)

    monkeypatch.setattr(staff_letters, "letters_pdf", drawn)
    return made


def test_everybody_without_an_electronic_address_gets_a_letter_with_links_that_work(
    site: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept_letters(monkeypatch)
    frame_id, client = prepared(site), site.client()
    assert client.get(f"/gestion/editions/{WAVE}/lettres.pdf").status_code == 404  # nobody is chosen yet
    fix(client, frame_id, confirmed="1")
    answer = client.get(f"/gestion/editions/{WAVE}/lettres.pdf")
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF")
    letters, occasion = made[0]
    assert len(letters) == 16
    assert (occasion.specimen, occasion.nominative) == (False, False)
    with site.database():
        for letter in letters:
            token = letter.url.rpartition("/")[2]
            by_code, by_link = by_letter_code(db.session(), letter.code), by_token(db.session(), token)
            assert by_code is not None
            assert by_code is by_link
            assert by_code.unit.email is None
        logged = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "exported")).one()
        assert logged.detail == {"file": "lettres", "letters": 16}


def test_who_has_answered_or_refused_gets_no_letter(site: StaffSite) -> None:
    frame_id, client = prepared(site), site.client()
    fix(client, frame_id, confirmed="1")
    with site.database(), act() as transaction:
        transaction.execute(sa.update(Invitation).values(state="answered"))
    answer = client.get(f"/gestion/editions/{WAVE}/lettres.pdf")
    assert answer.status_code == 422
    assert "n’attend une lettre" in answer.text


def test_only_the_referent_and_the_director_see_lists_and_letters(site: StaffSite) -> None:
    frame_id = prepared(site)
    client = site.client(CONTRIBUTOR)
    for path in (PATH, f"{PATH}/{frame_id}", f"{PATH}/{frame_id}/lettre.pdf"):
        assert client.get(path).status_code == 403


@pytest.mark.abuse("AC-26")
def test_who_has_not_answered_and_their_codes_are_for_the_referent_alone(site: StaffSite) -> None:
    frame_id, referent, director = prepared(site), site.client(), site.client(DIRECTOR)
    fix(referent, frame_id, confirmed="1")
    letters = f"/gestion/editions/{WAVE}/lettres.pdf"
    assert director.get(letters).status_code == 403
    assert letters not in director.get(f"{PATH}/{frame_id}").text
    assert letters in referent.get(f"{PATH}/{frame_id}").text


def test_the_letter_is_tagged_french_and_titled_for_screen_readers(site: StaffSite) -> None:
    with site.database():
        document = letters_document([a_letter()], an_occasion(), organisation())
    pdf = document.write_pdf(pdf_variant="pdf/ua-1", uncompressed_pdf=True)
    assert re.search(rb"/Lang ?\(fr\)", pdf)
    assert b"/StructTreeRoot" in pdf
    assert document.metadata.title == "Lettres : Votre avis"


def test_the_fonts_are_of_the_machine() -> None:
    css = (Path(staff_letters.__file__).parents[1] / "frames" / "letter.css").read_text("utf-8")
    assert "url(" not in css
    assert "@import" not in css
