"""The judgement of one record: pure, no database. Doubtful contents are flagged, never refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from form_definitions import (
    LANGUAGES,
    Questionnaire,
    RoutingContext,
    item_faults,
    relevant_items,
    split_by_path,
)
from form_definitions.model import CollectionMode
from form_definitions.question_types import QUESTION_TYPES, normalised_text
from survey_app.clock import day_in_paris
from survey_app.responses.envelope import Body, Envelope
from survey_app.responses.flags import OTHER_DEVICE, counted_by_default

CLOCK_TOLERANCE = dt.timedelta(minutes=5)
LONGEST_INTERVIEW = dt.timedelta(hours=1)
"""A page left open for days is no interview that lasts for days."""
UNKNOWN_LANGUAGE = "und"
UNKNOWN_SITE = ""


@dataclass(frozen=True)
class WaveFacts:
    """What the judgement needs of a wave."""

    id: str
    state: str
    questionnaire_digest: str
    digests: frozenset[str]
    opens_on: dt.date
    closes_on: dt.date
    sites: frozenset[str]
    modes: frozenset[str]
    languages: frozenset[str]
    closed_at: dt.datetime | None = None
    sealed_at: dt.datetime | None = None


@dataclass(frozen=True)
class Arrival:
    """What the inbox knows of a record besides its bytes."""

    mode: str
    site: str | None
    received_at: dt.datetime
    flags: tuple[str, ...] = ()
    conflict: bool = False
    other_device: bool = False


@dataclass(frozen=True)
class Judgement:
    """A response, ready to be stored."""

    record_id: str
    revision: int
    wave_id: str | None
    questionnaire_digest: str
    site: str
    mode: str
    language: str
    answered_on: dt.date
    complete: bool
    practice: bool
    assisted: bool | None
    answers: dict[str, Any]
    other_answers: dict[str, Any]
    flags: list[str]
    withdrawn: bool = False
    """The person took it back: no response is made of it."""

    @property
    def counted(self) -> bool:
        """Whether it enters the tallies."""
        return counted_by_default(self.flags, practice=self.practice)


def judge(
    envelope: Envelope,
    body: Body,
    arrival: Arrival,
    wave: WaveFacts | None,
    questionnaire: Questionnaire | None,
) -> Judgement:
    """The response that this record makes."""
    site, site_flags = _site(body, arrival, wave, questionnaire)
    language, language_flags = _language(body, wave)
    moment, clock_flags = answered_at(body, arrival.received_at, wave)
    answers, others, answer_flags = judged_answers(questionnaire, body.answers, arrival.mode, site)
    flags = (
        *arrival.flags,
        *(["conflict"] if arrival.conflict else []),
        *([OTHER_DEVICE] if arrival.other_device else []),
        *body.flags,
        *_wave_flags(envelope, arrival, wave, questionnaire, moment - _time_taken(body)),
        *([] if "unreadable_body" in body.flags else (*clock_flags, *site_flags, *language_flags)),
        *answer_flags,
    )
    return Judgement(
        record_id=envelope.id,
        revision=envelope.revision,
        wave_id=envelope.wave,
        questionnaire_digest=envelope.questionnaire_digest,
        site=site,
        mode=arrival.mode,
        language=language,
        answered_on=day_in_paris(moment),
        complete=body.complete,
        practice=body.practice,
        assisted=body.assisted,
        answers=answers,
        other_answers=others,
        flags=sorted(set(flags)),
        withdrawn=body.withdrawn,
    )


def answered_at(
    body: Body, received_at: dt.datetime, wave: WaveFacts | None
) -> tuple[dt.datetime, tuple[str, ...]]:
    """When the person answered, and ``clock`` where the device's clock cannot be right.

    The device's time, corrected by the last known offset (server minus device), must lie between the opening
    of the wave and the receipt; else the moment of the receipt is taken.
    """
    if body.finished_at is None:
        return received_at, ("clock",)
    try:
        moment = body.finished_at + (body.clock_offset or dt.timedelta(0))
        day = day_in_paris(min(moment, received_at))
    except OverflowError:
        return received_at, ("clock",)
    too_early = wave is not None and day < wave.opens_on <= day_in_paris(received_at)
    if too_early or moment > received_at + CLOCK_TOLERANCE:
        return received_at, ("clock",)
    return min(moment, received_at), ()


def _time_taken(body: Body) -> dt.timedelta:
    """How long the person answered: who had begun when the wave was closed answered in time."""
    if body.started_at is None or body.finished_at is None:
        return dt.timedelta(0)
    return min(max(body.finished_at - body.started_at, dt.timedelta(0)), LONGEST_INTERVIEW)


def _wave_flags(
    envelope: Envelope,
    arrival: Arrival,
    wave: WaveFacts | None,
    questionnaire: Questionnaire | None,
    began: dt.datetime,
) -> Iterator[str]:
    if questionnaire is None:
        yield "unknown_digest"
    if wave is None:
        yield "unknown_wave"
        return
    if questionnaire is not None and envelope.questionnaire_digest != wave.questionnaire_digest:
        known = envelope.questionnaire_digest in wave.digests
        yield "old_digest" if known else "digest_not_in_wave"
    if wave.modes and arrival.mode not in wave.modes:
        yield "mode_not_in_wave"
    yield from _time_flags(wave, arrival.received_at, began)


def _time_flags(wave: WaveFacts, received_at: dt.datetime, began: dt.datetime) -> Iterator[str]:
    if wave.state == "draft" or day_in_paris(received_at) < wave.opens_on:
        yield "not_yet_open"
    elif wave.sealed_at is not None:  # nothing waited when it was sealed: this came after, or at that moment
        yield "sealed_wave"
    elif _is_over(wave, began):
        yield "closed_wave"
    elif _is_over(wave, received_at):
        yield "late"


def _is_over(wave: WaveFacts, moment: dt.datetime) -> bool:
    """The last day counts whole, unless somebody closed before its end."""
    closed = wave.closed_at is not None and moment > wave.closed_at
    return closed or day_in_paris(moment) > wave.closes_on


def _site(
    body: Body, arrival: Arrival, wave: WaveFacts | None, questionnaire: Questionnaire | None
) -> tuple[str, tuple[str, ...]]:
    """A device's site is believed; another one only if the questionnaire knows it: addresses are free."""
    if arrival.site is None:
        if questionnaire is None:
            return UNKNOWN_SITE, ()
        if body.site is None or body.site not in questionnaire.sites:
            return UNKNOWN_SITE, ("unknown_site",)
    site = arrival.site or cast(str, body.site)
    outside = wave is not None and bool(wave.sites) and site not in wave.sites
    return site, ("site_not_in_wave",) if outside else ()


def _language(body: Body, wave: WaveFacts | None) -> tuple[str, tuple[str, ...]]:
    if body.language not in LANGUAGES:
        return UNKNOWN_LANGUAGE, ("unknown_language",)
    outside = wave is not None and bool(wave.languages) and body.language not in wave.languages
    return body.language, ("language_not_in_wave",) if outside else ()


def judged_answers(
    questionnaire: Questionnaire | None, given: Mapping[str, Any], mode: str, site: str
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """The answers that count, the others, and why they do not."""
    given = {name: _normalised(value) for name, value in given.items()}
    given = {name: value for name, value in given.items() if value not in (None, "", [])}
    if questionnaire is None:
        return {}, given, []
    unknown = {name for name in given if not _known(questionnaire, name)}
    invalid = _invalid(questionnaire, given) - unknown
    valid = {name: value for name, value in given.items() if name not in unknown | invalid}
    on_path, off_path = split_by_path(questionnaire, valid, routing_context(mode, site))
    others = {name: value for name, value in given.items() if name not in on_path}
    reasons = {"unknown_answer": unknown, "invalid_answer": invalid, "off_path": off_path}
    return on_path, others, [code for code, names in reasons.items() if names]


def _normalised(value: Any) -> Any:
    return normalised_text(value) if isinstance(value, str) else value


def _known(questionnaire: Questionnaire, name: str) -> bool:
    item_name, _, option_code = name.partition(".")
    item = questionnaire.items_by_name.get(item_name)
    if item is None or not QUESTION_TYPES[item.question_type].takes_answer:
        return False
    option = item.option(option_code) if option_code else None
    return name == item_name or (option is not None and option.specify is not None)


def _invalid(questionnaire: Questionnaire, given: Mapping[str, Any]) -> set[str]:
    faults = (fault for item in questionnaire.items for fault in item_faults(item, given))
    return {fault.item_name for fault in faults if fault.code != "missing"}


def routing_context(mode: str, site: str) -> RoutingContext:
    """The context in which a stored response was asked."""
    return RoutingContext(cast(CollectionMode, mode), site or None)


def asked_items(
    questionnaire: Questionnaire, answers: Mapping[str, object], mode: str, site: str
) -> tuple[str, ...]:
    """The names of the items that this person was asked."""
    return tuple(item.name for item in relevant_items(questionnaire, answers, routing_context(mode, site)))
