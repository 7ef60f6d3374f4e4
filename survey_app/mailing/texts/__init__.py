"""The texts that the program brings, one file per kind: the first line is the subject. Floor 4.

« invitation.alerte.txt » brings what the questionnaire « alerte » says otherwise: the subject, and the
paragraph that opens the text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

INVITATION: Final = "invitation"
REMINDER: Final = "reminder"
RESULTS: Final = "results"
KINDS: Final[dict[str, str]] = {INVITATION: "Invitation", REMINDER: "Relance", RESULTS: "Résultats"}
"""The kinds of mailings, as the staff pages name them."""
_HIGH: Final = re.compile(r"(?<=\S) +(?=[;!?»])|(?<=«) +")
_COLON: Final = re.compile(r"(?<=\S) +(?=:(?:\s|$))")
_APOSTROPHE: Final = re.compile(r"(?<=\w)'(?=\w)")
_DOTS: Final = re.compile(r"\.{3,}")


class Text(NamedTuple):
    """A subject and a body, with placeholders."""

    subject: str
    body: str


@lru_cache(maxsize=32)
def shipped(kind: str, questionnaire: str = "") -> Text:
    """The text of this kind as the program brings it, for mails about this questionnaire (its slug)."""
    text, own = _read(f"{kind}.txt"), _own(kind, questionnaire)
    if own is None:
        return text
    salutation, first, *others = text.body.split("\n\n")
    return Text(own.subject, "\n\n".join([salutation, own.body.strip() or first, *others]))


def opening(kind: str, questionnaire: str) -> str:
    """The paragraph that opens the text of this kind where this questionnaire has its own; or empty."""
    own = _own(kind, questionnaire)
    return own.body.strip() if own else ""


def _own(kind: str, questionnaire: str) -> Text | None:
    name = f"{kind}.{questionnaire}.txt"
    return _read(name) if questionnaire and (files(__package__) / name).is_file() else None


def _read(name: str) -> Text:
    subject, _, body = (files(__package__) / name).read_text(encoding="utf-8").partition("\n")
    return Text(subject, body.strip() + "\n")


def typeset(text: str) -> str:
    """What somebody typed, as a French printer sets it: spaces that do not break, apostrophes, dots."""
    text = _HIGH.sub("\u202f", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _DOTS.sub("…", _COLON.sub("\u00a0", text))
    return _APOSTROPHE.sub("’", text)
