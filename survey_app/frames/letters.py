"""Letters to those without an electronic address: a page each, a code to type and one to scan. Floor 4.

Fonts are those of the machine, and nothing is fetched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import segno
from flask import current_app
from markupsafe import Markup

from form_definitions import Organisation
from survey_app.frames.words import COMMUNE, office_words
from survey_app.invitation_models import SampledUnit

PACKAGES: Final = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
"""Debian's names of what WeasyPrint loads, and of one font."""
LINES_IN_THE_WINDOW: Final = 6
"""What the window of a DL envelope shows, and what La Poste reads."""
LETTER_CSS: Final = Path(__file__).with_name("letter.css")


class LettersUnavailable(RuntimeError):  # noqa: N818 (a state of the machine, told in one sentence)
    """This machine cannot draw a PDF; the message (French) says what to install."""


@dataclass(frozen=True)
class Letter:
    """What differs from letter to letter."""

    recipient: tuple[str, ...]
    """The lines in the window of the envelope."""
    salutation: str
    url: str
    """In the code to scan: the personal link."""
    code: str
    """To be typed: ABCD-EFGH-JKMN."""


@dataclass(frozen=True)
class Occasion:
    """What is the same in all letters of a wave."""

    title: str
    minutes: int
    closes_on: dt.date
    written_on: dt.date
    source: str
    """Where the address comes from: the law wants it said (article 14 of the RGPD)."""
    source_date: dt.date
    typed_address: str
    """Where the code is typed."""
    nominative: bool = False
    signed_by: tuple[str, ...] = ()
    service: str = ""
    verified_at: str = ""
    """What tells a doubtful reader that the letter is ours: a page, a telephone number."""
    specimen: bool = False
    opening: str = ""
    """Why this survey, where its questionnaire has words of its own for it."""


def letters_pdf(letters: Sequence[Letter], occasion: Occasion, organisation: Organisation) -> bytes:
    """The letters in one PDF, a page each, in the order given.

    Raises
    ------
    LettersUnavailable
        Where the libraries of WeasyPrint are missing.
    """
    pdf: bytes = letters_document(letters, occasion, organisation).write_pdf(pdf_variant="pdf/ua-1")
    return pdf


def letters_document(letters: Sequence[Letter], occasion: Occasion, organisation: Organisation) -> Any:
    """The same, laid out but not written: its pages can be counted."""
    template = current_app.jinja_env.get_template("staff/letter.html")
    page = template.render(
        letters=[(letter, qr_code(letter.url)) for letter in letters],
        occasion=occasion,
        organisation=organisation,
    )
    return laid_out(page, LETTER_CSS)


def laid_out(page: str, style: Path) -> Any:
    """A page of HTML under a style sheet of ours, laid out but not written; nothing is fetched."""
    weasyprint, nothing = pdf_library(), nothing_fetched()
    css = weasyprint.CSS(string=style.read_text("utf-8"), url_fetcher=nothing)
    return weasyprint.HTML(string=page, url_fetcher=nothing).render(stylesheets=[css])


def nothing_fetched() -> Any:
    """A fetcher that knows no protocol: no file, no address, not even data inside the page."""
    return pdf_library().urls.URLFetcher(allowed_protocols=())


def pdf_library() -> Any:
    """Loaded when it is needed: its libraries are the system's, and may be missing."""
    try:
        import weasyprint
    except (ImportError, OSError) as fault:
        raise LettersUnavailable(
            "Ce serveur ne peut pas encore écrire de PDF\u00a0: des bibliothèques du système manquent. "
            f"Demandez à la personne qui l’installe de lancer\u00a0: apt install {PACKAGES}"
        ) from fault
    return weasyprint


def qr_code(url: str) -> Markup:
    """The link to scan, as a drawing inside the page."""
    drawing = segno.make(url, error="m", micro=False)
    return Markup(drawing.svg_inline(scale=1, border=0, svgclass="qr", omitsize=True))  # noqa: S704 (no text of ours in it)


def recipient_of(unit: SampledUnit) -> tuple[str, ...]:
    """The lines of an address: who, as what, where. As many as the window shows."""
    who = " ".join(filter(None, (unit.civility, unit.first_name, unit.last_name)))
    office = office_words(unit.office, unit.civility)
    what = f"{office} – {unit.authority_name}" if office else _authority(unit)
    place = (unit.postal_address or "").split("\n")
    lines = [line for line in (who, what, *place) if line.strip()]
    return tuple(
        [*lines[: LINES_IN_THE_WINDOW - 1], lines[-1]] if len(lines) > LINES_IN_THE_WINDOW else lines
    )


def _authority(unit: SampledUnit) -> str:
    return f"Mairie – {unit.authority_name}" if unit.authority_kind == COMMUNE else unit.authority_name
