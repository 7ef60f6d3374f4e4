"""Tablets whose records are in the inbox as a real tablet would have sent them: numbered and chained."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from survey_app.database import write_transaction
from survey_app.device_models import Device
from survey_app.responses import inbox
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import read_envelope
from tests.survey_app.staff_site import WAVE

SITE = "accueil_general"


def a_device(name: str = "Accueil-2", **changes: Any) -> str:
    """An enrolled tablet; gives its id."""
    device = str(uuid.uuid4())
    facts = {
        "name": name,
        "site": SITE,
        "slugs": ["essai"],
        "languages": ["fr"],
        "state": "enrolled",
        **changes,
    }
    with write_transaction() as transaction:
        transaction.add(Device(id=device, enrolled_at=datetime.now(tz=UTC), **facts))
    return device


def chained(device: str, numbers: Iterable[int], *, prev: str | None = None, **changes: Any) -> list[str]:
    """The envelopes of these numbers, each naming the link of the one before."""
    texts = []
    for seq in numbers:
        body = {"answers": {"courtesy": ["satisfied"]}, "language": "fr", "complete": True, "practice": False}
        frame = {"v": 1, "suite": "none", "key_id": None, "id": str(uuid.uuid4()), "revision": 1}
        frame |= {"device": device, "seq": seq, "prev": prev, "wave": WAVE}
        frame |= {"questionnaire_digest": "a" * 64, "bundle_digest": "b" * 64}
        frame["body"] = base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()
        texts.append(json.dumps({**frame, **changes}))
        prev = link_of(texts[-1])
    return texts


def link_of(text: str) -> str:
    """What the record after this one names."""
    return read_envelope(text.encode()).link


def receive(device: str, texts: Iterable[str]) -> None:
    """The server gets these records from the tablet itself."""
    credential = Credential("tablet", device, SITE)
    for fate in inbox.accept_all((text.encode() for text in texts), source="tablet", credential=credential):
        assert isinstance(fate, inbox.Receipt)
