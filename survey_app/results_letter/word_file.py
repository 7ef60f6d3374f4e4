"""The letter as a DOCX: the template that is shipped, filled in, for the director to finish and sign."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from jinja2.sandbox import SandboxedEnvironment

from survey_app.results_letter.content import LetterContent

TEMPLATE: Final = Path(__file__).parent / "lettre.docx"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def letter_docx(content: LetterContent) -> bytes:
    """The letter, ready to be edited in a word processor."""
    from docxtpl import DocxTemplate  # lxml and python-docx take a third of a second to load

    document = DocxTemplate(TEMPLATE)
    document.render(content.as_mapping(), SandboxedEnvironment(autoescape=True), autoescape=True)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()
