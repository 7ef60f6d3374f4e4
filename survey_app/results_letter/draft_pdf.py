"""The draft of the letter as a PDF: to be read and passed round before the director's own is there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import render_template

from survey_app.frames.letters import pdf_library, refuse_to_fetch
from survey_app.results_letter.content import LetterContent

_CSS: Final = Path(__file__).parent.parent / "templates" / "letters" / "results.css"


def draft_pdf(content: LetterContent) -> bytes:
    """The letter as it would be sent with nothing added. Raises `LettersUnavailable` without WeasyPrint."""
    weasyprint = pdf_library()
    page = render_template("letters/results.html", letter=content)
    css = weasyprint.CSS(string=_CSS.read_text("utf-8"), url_fetcher=refuse_to_fetch)
    document = weasyprint.HTML(string=page, url_fetcher=refuse_to_fetch).render(stylesheets=[css])
    pdf: bytes = document.write_pdf(pdf_variant="pdf/ua-1")
    return pdf
