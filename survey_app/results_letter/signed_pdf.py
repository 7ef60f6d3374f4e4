"""The PDF that the director signed, as it is brought back: a PDF, not too large, and nothing in it acts.

Its bytes are kept as they are: a signature inside would not outlive a change. So what could run, fetch or
carry another file is looked for in the file and its compressed parts; what cannot be read is refused.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

from survey_app.results_letter.photo_places import tells_a_place

LARGEST: Final = 5 * 2**20
"""Bytes: it goes with every mail, and relays refuse large ones."""
INFLATED: Final = 64 * 2**20
_HEAD, _TAIL = 1024, 2048
_STREAM: Final = re.compile(rb">>\s*stream\r?\n")
_STREAM_END: Final = b"endstream"
_HOLDS_OBJECTS: Final = re.compile(rb"/(ObjStm|First)(?![A-Za-z0-9])")
"""Readers take the objects of a stream that has « /First », whatever its type says."""
_FLATE: Final = re.compile(rb"/Filter\s*(/FlateDecode(?![A-Za-z0-9])|\[\s*/FlateDecode\s*\])")
_ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE: Final = re.compile(
    rb"/(JavaScript|JS|Launch|SubmitForm|ImportData|GoToR|GoToE|EmbeddedFiles?|RichMedia|Rendition|Movie|"
    rb"Sound|XFA|3D|AA|OpenAction(?!\s*\[))(?![A-Za-z0-9])"
)
"""Links that a reader clicks are none of them, nor the view (an array) on which the letter opens."""
_AGAIN: Final = "Enregistrez-le à nouveau\u00a0: dans le traitement de texte, «\u202fExporter en PDF\u202f»."
_UNREADABLE: Final = f"Une partie de ce PDF ne se relit pas. {_AGAIN}"


class PdfRefusedError(ValueError):
    """This file does not go out; the message (French) says why and what to do."""


def check_pdf(content: bytes) -> None:
    """Raise `PdfRefusedError` for what is no PDF, is too large, or holds something that acts."""
    if not content:
        raise PdfRefusedError("Choisissez d’abord le fichier PDF de la lettre signée.")
    if len(content) > LARGEST:
        raise PdfRefusedError(
            f"Ce fichier dépasse {LARGEST // 2**20}\u202fMo\u00a0: les messageries le refuseraient. "
            "Réduisez les images, ou exportez la lettre au lieu de la numériser."
        )
    if b"%PDF-" not in content[:_HEAD]:
        raise PdfRefusedError(f"Ce fichier n’est pas un PDF. {_AGAIN}")
    if b"%%EOF" not in content[-_TAIL:]:
        raise PdfRefusedError(f"Ce PDF est coupé\u00a0: sa fin manque. {_AGAIN}")
    if tells_a_place(content):
        raise PdfRefusedError(
            "Ce PDF contient une photo qui dit où elle a été prise\u00a0: chaque destinataire "
            "pourrait le lire. Retirez-lui sa position, ou numérisez la lettre avec le copieur du service."
        )
    for part in _readable_parts(content):
        found = _ACTIVE.search(part)
        if found:
            raise PdfRefusedError(
                "Ce PDF contient un élément actif ou un fichier joint "
                f"(«\u202f{found[1].decode()}\u202f»)\u00a0: les messageries le bloqueraient. {_AGAIN}"
            )


def _readable_parts(content: bytes) -> Iterator[bytes]:
    """The file without its streams, then the streams that hold objects; names without escapes."""
    between, streams = _split(content)
    outside = _plain(b"".join(between))
    if b"/Encrypt" in outside:
        raise PdfRefusedError(f"Ce PDF est protégé par un mot de passe. {_AGAIN}")
    yield outside
    left, declared = INFLATED, outside.count(b"/ObjStm")
    for before, stream in zip(between, streams, strict=False):
        facts = _plain(before[-_TAIL:])
        facts = facts[facts.rfind(b"obj") + 3 :]
        if _HOLDS_OBJECTS.search(facts):
            inflated = _inflated(stream, facts, left)
            left -= len(inflated)
            declared -= facts.count(b"/ObjStm")
            yield _plain(inflated)
    if declared:
        raise PdfRefusedError(_UNREADABLE)


def _split(content: bytes) -> tuple[list[bytes], list[bytes]]:
    """What stands outside the streams, and the streams between; each byte is looked at once."""
    between: list[bytes] = []
    streams: list[bytes] = []
    place = 0
    while found := _STREAM.search(content, place):
        end = content.find(_STREAM_END, found.end())
        if end < 0:
            raise PdfRefusedError(_UNREADABLE)
        between.append(content[place : found.end()])
        streams.append(content[found.end() : end])
        place = end
    return [*between, content[place:]], streams


def _inflated(raw: bytes, facts: bytes, most: int) -> bytes:
    """The objects of a stream. Only the one way in which programs write them is read."""
    filters = facts.count(b"/Filter")
    if not filters:
        return raw
    if filters == 1 and _FLATE.search(facts) and b"/DecodeParms" not in facts and most > 0:
        try:
            reader = zlib.decompressobj()
            inflated = reader.decompress(raw, most)
        except zlib.error:
            pass
        else:
            if reader.eof:
                return inflated
    raise PdfRefusedError(_UNREADABLE)


def _plain(text: bytes) -> bytes:
    """Names as they are meant: « /J#53 » is « /JS »."""
    return _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), text)
