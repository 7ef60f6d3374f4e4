"""The draft of the letter as a PDF: to be read and passed round before the director's own is there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import render_template

from survey_app.frames.letters import laid_out
from survey_app.results_letter.content import LetterContent

_CSS: Final = Path(__file__).with_name("draft.css")


def draft_pdf(content: LetterContent) -> bytes:
    """The letter as it would be sent with nothing added. Raises `LettersUnavailable` without WeasyPrint."""
    page = render_template("staff/letter_results.html", letter=content)
    pdf: bytes = laid_out(page, _CSS).write_pdf(pdf_variant="pdf/ua-1")
    return pdf
