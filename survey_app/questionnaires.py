"""Questionnaires on their way to the public: draft, check, what would change, publication. Floor 4.

A published questionnaire is frozen under its digest: canonical JSON, French texts and translations stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from form_definitions import (
    LANGUAGES,
    Change,
    CheckedSource,
    Fault,
    Questionnaire,
    canonical_json,
    check_source,
    explain_changes,
    from_canonical,
    questionnaire_digest,
)
from survey_app.audit import act, record
from survey_app.database import db
from survey_app.definitions import library
from survey_app.draft_translations import completed, corrected_languages, lost_languages
from survey_app.models import QuestionnaireDraft, QuestionnaireVersion, Survey


class PublicationError(ValueError):
    """A questionnaire cannot be published so; the message (French) says why, `faults` where."""

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Publication:
    """What publishing this draft would do."""

    questionnaire: Questionnaire
    digest: str
    current: QuestionnaireVersion | None
    changes: tuple[Change, ...]
    corrected: tuple[str, ...] = ()
    """Languages whose texts differ from those published with this very content."""
    lost: tuple[str, ...] = ()
    """Languages of the version in force that the new one would no longer speak."""

    @property
    def is_new(self) -> bool:
        """False when this very content is the one in force."""
        return self.current is None or self.current.digest != self.digest

    @property
    def broken_series(self) -> tuple[str, ...]:
        """Names of the items whose figures can no longer be compared with the past."""
        return tuple(dict.fromkeys(name for change in self.changes for name in change.breaks_series))


def save_draft(source: str, translations: Mapping[str, Mapping[str, str]], *, actor: str) -> int:
    """Keep an uploaded text, faults and all, so that its author can see and mend them; gives its number.

    It takes the place of the drafts of the same questionnaire; one with faults leaves one that has none.
    """
    slug = _slug_of(source)
    asked = _check(source, slug).questionnaire
    if asked is not None:
        current = current_version(asked.slug)
        spoken, before = (current.translations, questionnaire_of(current)) if current else ({}, None)
        translations = completed(asked, translations, spoken, before)
    with act() as transaction:
        draft = QuestionnaireDraft(
            slug=slug,
            source_yaml=source,
            translations={language: dict(texts) for language, texts in translations.items()},
            uploaded_at=datetime.now(tz=UTC),
            uploaded_by=actor,
        )
        transaction.add(draft)
        transaction.flush()
        replaced = [one for one in _replaceable(transaction, source) if one.id != draft.id]
        for one in replaced:
            transaction.delete(one)
        detail = {"replaced": [one.id for one in replaced]} if replaced else {}
        record(transaction, "draft-uploaded", actor=actor, subject=slug or f"#{draft.id}", detail=detail)
        return draft.id


def _replaceable(session: Session, source: str) -> list[QuestionnaireDraft]:
    """The drafts whose place this text takes, newest first."""
    slug = _slug_of(source)
    if not slug:
        return []
    query = select(QuestionnaireDraft).where(QuestionnaireDraft.slug == slug)
    found = session.scalars(query.order_by(QuestionnaireDraft.id.desc())).all()
    sound = _check(source, slug).questionnaire is not None
    return [one for one in found if sound or _check(one.source_yaml, slug).questionnaire is None]


def replaced_by(source: str) -> QuestionnaireDraft | None:
    """The draft whose place this text would take."""
    return next(iter(_replaceable(db.session(), source)), None)


def delete_draft(draft_id: int, *, actor: str) -> None:
    """Throw a draft away; published versions are never touched."""
    with act() as transaction:
        draft = _draft(transaction, draft_id)
        record(transaction, "draft-deleted", actor=actor, subject=draft.slug or f"#{draft.id}")
        transaction.delete(draft)


def drafts() -> Sequence[QuestionnaireDraft]:
    """The drafts, newest first."""
    return db.session.scalars(select(QuestionnaireDraft).order_by(QuestionnaireDraft.id.desc())).all()


def find_draft(draft_id: int) -> QuestionnaireDraft | None:
    """This draft, or None."""
    return db.session.get(QuestionnaireDraft, draft_id)


def check_draft(draft: QuestionnaireDraft) -> CheckedSource:
    """The draft read again: the questionnaire, or every fault at once; codes keep their published meaning."""
    return _check(draft.source_yaml, draft.slug)


def _check(source: str, slug: str) -> CheckedSource:
    published = [questionnaire_of(version) for version in versions() if version.slug == slug]
    name = f"{slug or 'questionnaire'}.yaml"
    return check_source(source, name=name, published=published, library=library())


def _slug_of(source: str) -> str:
    """The name that the text gives itself, even where the rest of it is faulty."""
    found = re.search(r"^questionnaire:\s*([a-z][a-z0-9_]{0,39})\s*$", source, re.MULTILINE)
    return found[1] if found else ""


def versions() -> Sequence[QuestionnaireVersion]:
    """All published questionnaires, newest first."""
    query = select(QuestionnaireVersion).order_by(QuestionnaireVersion.published_at.desc())
    return db.session.scalars(query).all()


def newest_versions() -> Sequence[QuestionnaireVersion]:
    """The version in force of each questionnaire."""
    return tuple({version.slug: version for version in reversed(versions())}.values())


def current_version(slug: str, session: Session | None = None) -> QuestionnaireVersion | None:
    """The newest published version of this questionnaire."""
    query = select(QuestionnaireVersion).where(QuestionnaireVersion.slug == slug)
    query = query.order_by(QuestionnaireVersion.published_at.desc()).limit(1)
    return (session or db.session).scalars(query).first()


def questionnaire_of(version: QuestionnaireVersion) -> Questionnaire:
    """The frozen questionnaire of a version."""
    return _read_canonical(version.digest, version.canonical)


@lru_cache(maxsize=64)
def _read_canonical(_digest: str, canonical: bytes) -> Questionnaire:
    return from_canonical(canonical)


def plan_publication(
    questionnaire: Questionnaire,
    translations: Mapping[str, Mapping[str, str]] | None = None,
    session: Session | None = None,
) -> Publication:
    """What would change, in sentences, before anything does."""
    current = current_version(questionnaire.slug, session)
    before = questionnaire_of(current) if current else None
    changes = explain_changes(before, questionnaire) if before else ()
    digest = questionnaire_digest(questionnaire)
    known = (session or db.session).get(QuestionnaireVersion, digest)
    corrected = corrected_languages(questionnaire, known.translations, translations or {}) if known else ()
    spoken = current.translations if current and current.digest != digest else {}
    return Publication(
        questionnaire, digest, current, tuple(changes), corrected, lost_languages(spoken, translations or {})
    )


def publish_draft(draft_id: int, *, actor: str, drop_languages: bool = False) -> QuestionnaireVersion:
    """Freeze a draft without faults under its digest, and drop the draft.

    A version that no longer speaks a language of the one in force needs `drop_languages`.
    """
    with act() as transaction:
        draft = _draft(transaction, draft_id)
        checked = check_draft(draft)
        if checked.questionnaire is None:
            raise PublicationError("Le questionnaire contient des erreurs à corriger.", checked.faults)
        plan = plan_publication(checked.questionnaire, draft.translations, transaction)
        if plan.lost and not drop_languages:
            raise PublicationError(f"Confirmez d’abord la perte d’une langue\u00a0: {_names(plan.lost)}.")
        version = _freeze(
            transaction, checked.questionnaire, draft.source_yaml, draft.translations, actor=actor
        )
        transaction.delete(draft)
        return version


def _names(languages: Sequence[str]) -> str:
    return ", ".join(LANGUAGES[language].own_name for language in languages)


def publish_source(
    source: str, translations: Mapping[str, Mapping[str, str]], *, actor: str
) -> QuestionnaireVersion:
    """Freeze a text straight away (the demonstration, the command line)."""
    checked = _check(source, _slug_of(source))
    if checked.questionnaire is None:
        raise PublicationError("Le questionnaire contient des erreurs à corriger.", checked.faults)
    with act() as transaction:
        return _freeze(transaction, checked.questionnaire, source, translations, actor=actor)


def _freeze(
    transaction: Session,
    questionnaire: Questionnaire,
    source: str,
    translations: Mapping[str, Mapping[str, str]],
    *,
    actor: str,
) -> QuestionnaireVersion:
    plan = plan_publication(questionnaire, translations, transaction)
    known = transaction.get(QuestionnaireVersion, plan.digest)
    if known is not None:
        return _correct_translations(transaction, known, plan.corrected, translations, actor=actor)
    version = QuestionnaireVersion(
        digest=plan.digest,
        slug=questionnaire.slug,
        title=questionnaire.title,
        canonical=canonical_json(questionnaire),
        translations={language: dict(texts) for language, texts in translations.items()},
        source_yaml=source,
        change_sentences=[change.sentence for change in plan.changes],
        published_at=datetime.now(tz=UTC),
        published_by=actor,
    )
    transaction.add(version)
    _ensure_survey(transaction, questionnaire)
    detail = {"digest": plan.digest, "broken_series": list(plan.broken_series)}
    record(transaction, "questionnaire-published", actor=actor, subject=questionnaire.slug, detail=detail)
    return version


def _correct_translations(
    transaction: Session,
    version: QuestionnaireVersion,
    languages: Sequence[str],
    translations: Mapping[str, Mapping[str, str]],
    *,
    actor: str,
) -> QuestionnaireVersion:
    """The same content with better words: `published_at` moves, by which the website and the tablets see it.

    A language that was not given keeps what it had.
    """
    if languages:
        given = {language: dict(translations[language]) for language in languages}
        version.translations = {**version.translations, **given}
        version.published_at, version.published_by = datetime.now(tz=UTC), actor
        detail = {"digest": version.digest, "languages": list(languages)}
        record(transaction, "translations-corrected", actor=actor, subject=version.slug, detail=detail)
    return version


def _ensure_survey(transaction: Session, questionnaire: Questionnaire) -> None:
    slug = questionnaire.slug
    if transaction.scalars(select(Survey.id).where(Survey.slug == slug)).first() is None:
        transaction.add(
            Survey(
                slug=slug,
                title=questionnaire.title,
                questionnaire_slug=slug,
                audience=questionnaire.audience,
            )
        )


def _draft(transaction: Session, draft_id: int) -> QuestionnaireDraft:
    draft = transaction.get(QuestionnaireDraft, draft_id)
    if draft is None:
        raise PublicationError("Ce brouillon n’existe plus.")
    return draft
