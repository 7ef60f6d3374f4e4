"""The record on the wire, version 1: what is read of it at the door, and what only the judge reads.

``{v, suite, key_id, id, revision, device, seq, prev, wave, questionnaire_digest, bundle_digest, body}``; the
body is base64url: of the answers' JSON (suite ``none``: made on this server), or of that JSON sealed with
HPKE to one of our keys and bound to the frame around it. A record's hash is SHA-256 of these bytes as sent,
never of a re-made form.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from survey_app.responses import record_keys, strict_json
from survey_app.responses.record_keys import DoesNotOpen, PublicKey, RecordKeys

VERSION = 1
OPEN_SUITE = "none"
SUITES = (OPEN_SUITE, record_keys.SUITE)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_BASE64URL = (string.ascii_letters + string.digits + "-_").encode()
_LARGEST_COUNT = 2**31 - 1
MAXIMUM_OFFSET_MILLISECONDS = 100 * 365 * 86_400_000


class UnreadableEnvelope(ValueError):  # noqa: N818 (answered by 400; the name is what happened)
    """These bytes are no envelope of a known version; the message names the part."""


@dataclass(frozen=True)
class Envelope:
    """The frame of a record; the body is still closed."""

    id: str
    revision: int
    device: str | None
    seq: int | None
    prev: str | None
    wave: str | None
    questionnaire_digest: str
    bundle_digest: str | None
    body: str
    suite: str = OPEN_SUITE
    key_id: str | None = None

    @property
    def link(self) -> str:
        """What the next record of this tablet names as `prev`. Every revision of a record has the same."""
        return content_hash(f"link {self.seq} {self.id} {self.prev or '-'}".encode())

    @property
    def binding(self) -> bytes:
        """What a sealed body is bound to, whole: it opens inside this frame and inside no other."""
        parts = (
            self.id,
            self.revision,
            self.device,
            self.seq,
            self.prev,
            self.wave,
            self.questionnaire_digest,
            self.bundle_digest,
        )
        lines = ("survey-app record v1", *("-" if part is None else str(part) for part in parts))
        return "\n".join(lines).encode()


@dataclass(frozen=True)
class Body:
    """What the person answered, as far as it could be read; ``flags`` name what was odd."""

    answers: dict[str, Any] = field(default_factory=dict)
    language: str = ""
    site: str | None = None
    complete: bool = False
    practice: bool = False
    withdrawn: bool = False
    """The person took it back: it has no answers and becomes no response."""
    ended: bool = False
    """Not complete, and the device ended it: no finished revision follows."""
    assisted: bool | None = None
    """Whether an agent helped, or read aloud; nobody said so where it is None."""
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    clock_offset: dt.timedelta | None = None
    flags: tuple[str, ...] = ()


def content_hash(raw: bytes) -> str:
    """SHA-256 of the bytes as sent, in hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def read_envelope(raw: bytes) -> Envelope:
    """The frame of a record. The body stays closed: odd answers are for the judge, not for the door.

    Raises
    ------
    UnreadableEnvelope
        Not strict JSON, a part missing, unknown or of another shape, another version or suite.
    """
    try:
        frame = strict_json.loads(raw)
    except strict_json.StrictJSONError as error:
        raise UnreadableEnvelope(f"JSON: {error.code}") from None
    if not isinstance(frame, dict) or set(frame) != set(_PARTS):
        raise UnreadableEnvelope("parts: some are missing or unknown")
    for name, fits in _PARTS.items():
        if not fits(frame[name]):
            raise UnreadableEnvelope(f"{name}: unexpected value")
    if (frame["suite"] == OPEN_SUITE) != (frame["key_id"] is None):
        raise UnreadableEnvelope("key_id: does not go with the suite")
    return Envelope(**{name: frame[name] for name in Envelope.__dataclass_fields__})


def write_envelope(envelope: Envelope) -> bytes:
    """The bytes of a record made on the server (website form, paper entry: their bodies are not sealed)."""
    frame = {"v": VERSION, **envelope.__dict__}
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()


def encode_body(body: Mapping[str, Any]) -> str:
    """base64url without padding of the body's JSON; text that cannot be UTF-8 is escaped, not lost."""
    raw = json.dumps(body, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sealed(envelope: Envelope, key: PublicKey) -> Envelope:
    """The same record, its body sealed as a tablet does it."""
    body = key.seal(_decoded(envelope.body), envelope.binding)
    return replace(envelope, suite=record_keys.SUITE, key_id=key.key_id, body=body)


def open_body(envelope: Envelope, keys: RecordKeys) -> Body:
    """The body; what cannot be read in it is left out and flagged.

    Raises
    ------
    KeyFileError
        The file of its key is not here, or cannot be used: it may be read when the file is back.
    """
    try:
        raw = _decoded(envelope.body)
        if envelope.key_id is not None:
            raw = keys.of(envelope.key_id).open(raw, envelope.binding)
        content, text_repaired = strict_json.loads_repairing_text(raw)
    except (binascii.Error, DoesNotOpen, strict_json.StrictJSONError):
        return Body(flags=("unreadable_body",))
    if not isinstance(content, dict) or not isinstance(content.get("answers"), dict):
        return Body(flags=("unreadable_body",))
    return Body(
        answers=content["answers"],
        language=_text(content.get("language")),
        site=_text(content.get("site")) or None,
        complete=content.get("complete") is True,
        practice=content.get("practice") is True,
        withdrawn=content.get("withdrawn") is True and content.get("complete") is not True,
        ended=content.get("ended") is True,
        assisted=content["assisted"] if isinstance(content.get("assisted"), bool) else None,
        started_at=_moment(content.get("started_at")),
        finished_at=_moment(content.get("finished_at")),
        clock_offset=_offset(content.get("clock_offset_ms")),
        flags=("repaired_text",) if text_repaired else (),
    )


def _decoded(body: str) -> bytes:
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(_text(value))
        return moment.astimezone(dt.UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _offset(value: object) -> dt.timedelta | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or abs(value) > MAXIMUM_OFFSET_MILLISECONDS:  # type: ignore[arg-type]
        return None
    return dt.timedelta(milliseconds=value)  # type: ignore[arg-type]


def _matches(pattern: re.Pattern[str], *, or_none: bool = False) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        return (or_none and value is None) or (
            isinstance(value, str) and pattern.fullmatch(value) is not None
        )

    return fits


def is_identifier(value: str) -> bool:
    """Whether this can be the id of a record or of a device."""
    return _UUID.fullmatch(value) is not None


def _is_base64url(value: object) -> bool:
    """Thirty times faster than a regular expression, and bodies are what there is most of."""
    return isinstance(value, str) and value.isascii() and not value.encode().translate(None, _BASE64URL)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST_COUNT


_PARTS: dict[str, Callable[[object], bool]] = {
    "v": lambda value: type(value) is int and value == VERSION,
    "suite": lambda value: value in SUITES,
    "key_id": _matches(record_keys.KEY_ID, or_none=True),
    "id": _matches(_UUID),
    "revision": _is_count,
    "device": _matches(_UUID, or_none=True),
    "seq": lambda value: value is None or _is_count(value),
    "prev": _matches(_DIGEST, or_none=True),
    "wave": _matches(_CODE, or_none=True),
    "questionnaire_digest": _matches(_DIGEST),
    "bundle_digest": _matches(_DIGEST, or_none=True),
    "body": _is_base64url,
}
