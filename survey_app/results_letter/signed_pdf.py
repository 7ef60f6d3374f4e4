"""The PDF that the director signed, as it is brought back: a PDF, not too large, and nothing in it acts.

Its bytes are kept as they are: a signature inside would not outlive a change. So what could run, fetch or
carry another file is looked for in the file and its compressed parts; what cannot be read is refused.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

LARGEST: Final = 5 * 2**20
"""Bytes: it goes with every mail, and relays refuse large ones."""
INFLATED: Final = 64 * 2**20
_HEAD, _TAIL = 1024, 2048
_STREAM: Final = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE: Final = re.compile(
    rb"/(JavaScript|JS|Launch|SubmitForm|ImportData|GoToR|GoToE|EmbeddedFiles?|RichMedia|Rendition|Movie|"
    rb"Sound|XFA|3D)(?![A-Za-z0-9])"
)
_AGAIN: Final = "Enregistrez-le à nouveau\u00a0: dans le traitement de texte, «\u202fExporter en PDF\u202f»."


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
    for part in _readable_parts(content):
        found = _ACTIVE.search(part)
        if found:
            raise PdfRefusedError(
                "Ce PDF contient un élément actif ou un fichier joint "
                f"(«\u202f{found[1].decode()}\u202f»)\u00a0: les messageries le bloqueraient. {_AGAIN}"
            )


def _readable_parts(content: bytes) -> Iterator[bytes]:
    """The file without its streams, then the streams that hold objects; names without escapes."""
    outside = _plain(_STREAM.sub(b"stream\nendstream", content))
    if b"/Encrypt" in outside:
        raise PdfRefusedError(f"Ce PDF est protégé par un mot de passe. {_AGAIN}")
    yield outside
    left = INFLATED
    for stream in _STREAM.finditer(content):
        before = content[max(0, stream.start() - _TAIL) : stream.start()]
        facts = _plain(before[before.rfind(b"obj") + 3 :])
        if b"/ObjStm" in facts:
            inflated = _inflated(stream[1], facts, left)
            left -= len(inflated)
            yield _plain(inflated)


def _inflated(raw: bytes, facts: bytes, most: int) -> bytes:
    """The objects of a stream. Only the one way in which programs write them is read."""
    if re.search(rb"/Filter\s*\[?\s*/FlateDecode\s*\]?", facts) and b"/Predictor" not in facts:
        try:
            reader = zlib.decompressobj()
            inflated = reader.decompress(raw, most)
        except zlib.error:
            pass
        else:
            if reader.eof:
                return inflated
    elif b"/Filter" not in facts:
        return raw
    raise PdfRefusedError(f"Une partie de ce PDF ne se relit pas. {_AGAIN}")


def _plain(text: bytes) -> bytes:
    """Names as they are meant: « /J#53 » is « /JS »."""
    return _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), text)
