"""Records, waves and questionnaires for the tests of the intake."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from form_definitions import Questionnaire, RateRule, canonical_json, questionnaire_digest
from form_definitions.model import Commitment, Item, ResponseOption, Section
from survey_app.database import write_transaction
from survey_app.models import QuestionnaireVersion, Survey, Wave, WaveQuestionnaire
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import Envelope, encode_body, read_envelope, sealed, write_envelope
from survey_app.responses.inbox import Receipt, accept
from survey_app.responses.record_keys import held

WAVE = "users-2026"
NOW = dt.datetime(2026, 3, 10, 9, 30, tzinfo=dt.UTC)
DEVICE = "00000000-0000-4000-8000-00000000000d"
WEBSITE = Credential(mode="website")
TABLET = Credential(mode="tablet", device_id=DEVICE, site="hall")


def options(*codes: str) -> tuple[ResponseOption, ...]:
    return tuple(ResponseOption(code=code, label=code) for code in codes)


def a_questionnaire(**changes: Any) -> Questionnaire:
    """A small one with every kind of item that the intake treats differently."""
    scale = (*options("good", "bad"), ResponseOption(code="none", label="-", role="not_applicable"))
    reasons = (*options("permit"), ResponseOption(code="other", label="o", specify="Précisez"))
    rated: dict[str, Any] = {
        "question_type": "single_choice",
        "options": scale,
        "commitment": "welcome",
        "rate": RateRule(favourable=("good",)),
    }
    items = (
        Item(name="visited", question_type="single_choice", label="v", options=options("yes", "no")),
        Item(name="courtesy", label="c", relevant_if={"is": ["visited", "yes"]}, **rated),
        Item(name="waiting", label="w", requirement="required", **rated),
        Item(name="reasons", question_type="multiple_choice", label="r", options=reasons),
        Item(name="minutes", question_type="number", label="m", minimum=0, maximum=300),
        Item(name="recommend", question_type="recommendation", label="n"),
        Item(name="comment", question_type="long_text", label="t", maximum_length=1000),
        Item(name="thanks", question_type="note", label="Merci"),
    )
    values: dict[str, Any] = {
        "slug": "users",
        "title": "Usagers",
        "framework": "f",
        "estimated_minutes": 2,
        "modes": ("tablet", "website", "paper"),
        "sites": ("hall", "remote"),
        "commitments": (Commitment(code="welcome", title="w", module="1"),),
        "sections": (Section(name="s", title="s", blocks=items),),
    }
    return Questionnaire(**{**values, **changes})


QUESTIONNAIRE = a_questionnaire()
DIGEST = questionnaire_digest(QUESTIONNAIRE)
ANSWERS: dict[str, Any] = {
    "visited": ["yes"],
    "courtesy": ["good"],
    "waiting": ["bad"],
    "reasons": ["permit", "other"],
    "reasons.other": "autre chose",
    "minutes": 12,
    "recommend": 9,
    "comment": "Très bien.\nMerci",
}


def publish(questionnaire: Questionnaire) -> str:
    """Store a published questionnaire; its digest."""
    digest = questionnaire_digest(questionnaire)
    with write_transaction() as session:
        session.add(
            QuestionnaireVersion(
                digest=digest,
                slug=questionnaire.slug,
                title=questionnaire.title,
                canonical=canonical_json(questionnaire),
                source_yaml="",
                published_at=NOW,
                published_by="test",
            )
        )
    return digest


def open_a_wave(questionnaire: Questionnaire = QUESTIONNAIRE, **changes: Any) -> None:
    """A survey and its open wave of March 2026."""
    digest = publish(questionnaire)
    values: dict[str, Any] = {
        "id": WAVE,
        "title": "2026",
        "state": "open",
        "questionnaire_digest": digest,
        "opens_on": dt.date(2026, 3, 1),
        "closes_on": dt.date(2026, 3, 31),
        "sites": ["hall", "remote"],
        "languages": ["fr", "en"],
        "modes": ["tablet", "website"],
        "created_at": NOW,
    }
    with write_transaction() as session:
        survey = Survey(slug="users", title="Usagers", questionnaire_slug="users", audience="users")
        session.add(survey)
        session.flush()
        session.add(Wave(survey_id=survey.id, **{**values, **changes}))
        session.flush()
        session.add(WaveQuestionnaire(wave_id=WAVE, digest=digest, since=NOW))


def change_wave(**changes: Any) -> None:
    with write_transaction() as session:
        wave = session.get_one(Wave, WAVE)
        for name, value in changes.items():
            setattr(wave, name, value)


def a_record(
    answers: Mapping[str, Any] | None = None,
    *,
    record_id: str | None = None,
    body: Mapping[str, Any] | None = None,
    raw_body: str | None = None,
    **frame: Any,
) -> bytes:
    """The bytes of a record as a tablet or the website makes them."""
    content = {
        "answers": dict(ANSWERS if answers is None else answers),
        "language": "fr",
        "site": "remote",
        "complete": True,
        "practice": False,
        "started_at": "2026-03-10T10:25:00+01:00",
        "finished_at": "2026-03-10T10:28:00+01:00",
        "clock_offset_ms": None,
        "assisted": None,
        **(body or {}),
    }
    values: dict[str, Any] = {
        "id": record_id or str(uuid.uuid4()),
        "revision": 0,
        "device": None,
        "seq": None,
        "prev": None,
        "wave": WAVE,
        "questionnaire_digest": DIGEST,
        "bundle_digest": None,
        "body": encode_body(content) if raw_body is None else raw_body,
    }
    return write_envelope(Envelope(**{**values, **frame}))


def a_sealed_record(answers: Mapping[str, Any] | None = None, **frame: Any) -> bytes:
    """The same, sealed for the newest key of the application at hand, as a tablet makes it."""
    return write_envelope(sealed(read_envelope(a_record(answers, **frame)), held().current()))


def take(raw: bytes, credential: Credential = WEBSITE, now: dt.datetime = NOW, **kwargs: Any) -> Receipt:
    """Accept a record as its credential's mode."""
    return accept(raw, source=credential.mode, credential=credential, now=now, **kwargs)
