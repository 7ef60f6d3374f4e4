"""The signed letter on its way: the PDF in the draft of the mailing of the results."""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from survey_app.audit import act, record
from survey_app.database import db
from survey_app.invitation_models import Mailing
from survey_app.mailing.planning import create_mailing
from survey_app.mailing.queue import DRAFT
from survey_app.mailing.texts import RESULTS
from survey_app.models import Wave
from survey_app.results_letter.content import TO_WRITE
from survey_app.results_letter.pdf_words import letters_of
from survey_app.results_letter.signed_pdf import PdfRefusedError, check_pdf

CODE: Final = re.compile(r"(?=[0-9-]*[A-Z])[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}")
"""A code to type, as letters print it."""


def keep_signed(wave: Wave, content: bytes, *, actor: str) -> Mailing:
    """Put the signed PDF into the mailing of the results, a new one where none is a draft.

    Raises `PdfRefusedError`; a mailing that was planned keeps the letter it was planned with.
    """
    check_pdf(content)
    _check_words(content)
    name = f"lettre-resultats-{wave.id}.pdf"
    draft = mailing_of_results(wave.id, db.session(), DRAFT)
    if draft is None:
        return create_mailing(wave.id, RESULTS, actor=actor, attachment=(name, content))
    with act() as transaction:
        kept = transaction.get_one(Mailing, draft.id)
        kept.attachment, kept.attachment_name = content, name
        detail = {"mailing": kept.id, "bytes": len(content)}
        record(transaction, "results-letter-replaced", actor=actor, subject=wave.id, detail=detail)
    return kept


def _check_words(content: bytes) -> None:
    """Refuse what was to be finished first, and what must never leave by mail."""
    unfinished = "".join(TO_WRITE.partition("\u00a0")[0].strip("[").split())
    for text in letters_of(content):
        if unfinished in text or "Projet,àcompléteretàsigner" in text:
            raise PdfRefusedError(
                "Cette lettre est encore le projet\u00a0: «\u202fÀ compléter\u202f» y est écrit. "
                "Complétez le fichier DOCX, signez la lettre, puis exportez-la en PDF."
            )
        if CODE.search(text):
            raise PdfRefusedError(
                "Ce fichier contient le code personnel d’un élu\u00a0: ce sont les courriers à imprimer, "
                "pas la lettre de la direction. Il n’a pas été gardé."
            )


def mailing_of_results(wave_id: str, session: Session, state: str | None = None) -> Mailing | None:
    """The newest mailing of the results of a wave, of this state if one is given."""
    query = sa.select(Mailing).where(Mailing.wave_id == wave_id, Mailing.kind == RESULTS)
    query = query if state is None else query.where(Mailing.state == state)
    return session.scalars(query.order_by(Mailing.id.desc()).limit(1)).first()
