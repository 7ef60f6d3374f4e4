"""« Questionnaires »: upload, check, preview, publish. Floor 5."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from babel.messages.pofile import PoFileError, read_po
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from form_definitions import LANGUAGES, SOURCE_LANGUAGE, CollectionMode, Questionnaire
from form_definitions.yaml_source import MAXIMUM_BYTES
from survey_app import access, questionnaires
from survey_app.access import ASSISTANT, REFERENT
from survey_app.database import db
from survey_app.definitions import library
from survey_app.draft_translations import coverage
from survey_app.models import QuestionnaireDraft, QuestionnaireVersion
from survey_app.rendering import Page, render_questionnaire, view_of
from survey_app.staff import to_complete
from survey_app.staff.pages import actor, moment, refused
from survey_app.staff.preview_screens import screens_of

blueprint = Blueprint("staff_questionnaires", __name__, url_prefix="/gestion/questionnaires")
MAXIMUM_TRANSLATION_BYTES: Final = 1024 * 1024
MODES: Final[tuple[CollectionMode, ...]] = ("website", "tablet", "paper")


class UploadError(ValueError):
    """A file that cannot be read at all; the message (French) says why."""


@blueprint.get("")
@access.roles(ASSISTANT)
def index() -> ResponseReturnValue:
    """Drafts, published versions, and the form to upload."""
    return render_template("staff/questionnaires.html", **_page())


def _page() -> dict[str, object]:
    versions = questionnaires.versions()
    newest: dict[str, str] = {}
    for version in versions:
        newest.setdefault(version.slug, version.digest)
    return {
        "drafts": questionnaires.drafts(),
        "versions": versions,
        "newest": newest,
        "languages": to_complete.other_languages(),
        "unread": to_complete.languages_to_review(),
        "to_fill": to_complete.values_to_fill(),
        "to_check": commitments_to_check(),
    }


def commitments_to_check() -> int:
    """How many commitments nobody has compared with the official text yet."""
    frameworks = library().frameworks.values()
    return sum(known.to_check for framework in frameworks for _, known in framework.commitments.values())


@blueprint.post("")
@access.roles(ASSISTANT)
def upload() -> ResponseReturnValue:
    """Keep an uploaded text as a draft and show its check."""
    try:
        source = _source(request.files.get("source"))
        translations = {code: _po(code) for code in LANGUAGES if code != SOURCE_LANGUAGE}
    except UploadError as fault:
        return refused("staff/questionnaires.html", str(fault), **_page())
    given = {code: texts for code, texts in translations.items() if texts}
    before = questionnaires.replaced_by(source)
    if before:
        at, by = moment(before.uploaded_at), before.uploaded_by
        flash(f"Ce brouillon remplace celui du {at}, envoyé par {by}.")
    draft_id = questionnaires.save_draft(source, given, actor=actor())
    return redirect(url_for("staff_questionnaires.draft", draft_id=draft_id), 303)


def _source(file: FileStorage | None) -> str:
    if file is None or not file.filename:
        raise UploadError("Choisissez un fichier .yaml.")
    text = _text(file, "Le questionnaire", MAXIMUM_BYTES)
    if not text.strip():
        raise UploadError("Le fichier est vide.")
    return text


def _text(file: FileStorage | None, what: str, limit: int) -> str:
    content = file.read(limit + 1) if file else b""
    if len(content) > limit:
        raise UploadError(f"{what} dépasse {limit // 1024}\u00a0Kio\u00a0: rien n’est gardé.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise UploadError(f"{what} n’est pas du texte UTF-8. Enregistrez-le à nouveau en UTF-8.") from fault


def _po(code: str) -> dict[str, str]:
    file = request.files.get(f"translation_{code}")
    text = _text(file, f"La traduction ({code})", MAXIMUM_TRANSLATION_BYTES)
    try:
        catalogue = read_po(text.splitlines(keepends=True), locale=code, abort_invalid=True)
    except (PoFileError, ValueError) as fault:
        raise UploadError(
            f"La traduction ({code}) n’est pas un fichier .po lisible\u00a0: {fault}."
        ) from fault
    return {
        m.id: str(m.string) for m in catalogue if isinstance(m.id, str) and m.id and m.string and not m.fuzzy
    }


@blueprint.get("/brouillons/<int:draft_id>")
@access.roles(ASSISTANT)
def draft(draft_id: int) -> ResponseReturnValue:
    """The check of a draft: faults, or what publishing would change."""
    return render_template("staff/draft.html", **_draft_page(_draft(draft_id)))


def _draft_page(found: QuestionnaireDraft) -> dict[str, Any]:
    checked = questionnaires.check_draft(found)
    asked = checked.questionnaire
    plan = questionnaires.plan_publication(asked, found.translations) if asked else None
    severities = Counter(fault.severity for fault in checked.faults)
    languages = [SOURCE_LANGUAGE, *found.translations]
    modes = [mode for mode in MODES if checked.questionnaire and mode in checked.questionnaire.modes]
    current = plan.current if plan else None
    before = questionnaires.questionnaire_of(current) if current else None
    spoken = current.translations if current else {}
    return {
        "coverage": coverage(asked, found.translations, spoken, before) if asked else (),
        "draft": found,
        "checked": checked,
        "plan": plan,
        "errors": severities["error"],
        "warnings": severities["warning"],
        "languages": languages,
        "modes": modes,
    }


@blueprint.get("/brouillons/<int:draft_id>/publier")
@access.roles(REFERENT)
def ask_publication(draft_id: int) -> ResponseReturnValue:
    """What publishing freezes for good; the draft itself while it has faults, or nothing new."""
    page = _draft_page(_draft(draft_id))
    plan, spoken = page["plan"], page["coverage"]
    if plan is None or not (plan.is_new or plan.corrected):
        return redirect(url_for("staff_questionnaires.draft", draft_id=draft_id), 303)
    incomplete = [one for one in spoken if one.offered and one.missing]
    return render_template("staff/publication.html", incomplete=incomplete, **page)


@blueprint.post("/brouillons/<int:draft_id>/publier")
@access.roles(REFERENT)
def publish(draft_id: int) -> ResponseReturnValue:
    """Freeze the draft."""
    found = _draft(draft_id)
    try:
        version = questionnaires.publish_draft(
            draft_id, actor=actor(), drop_languages="drop_languages" in request.form
        )
    except questionnaires.PublicationError as fault:
        return refused("staff/draft.html", str(fault), **_draft_page(found))
    flash("Le questionnaire est publié. Une édition peut s’en servir.")
    return redirect(url_for("staff_questionnaires.version", digest=version.digest), 303)


@blueprint.post("/brouillons/<int:draft_id>/supprimer")
@access.roles(ASSISTANT)
def delete(draft_id: int) -> ResponseReturnValue:
    """Throw the draft away."""
    _draft(draft_id)
    questionnaires.delete_draft(draft_id, actor=actor())
    flash("Le brouillon est supprimé.")
    return redirect(url_for("staff_questionnaires.index"), 303)


@blueprint.get("/brouillons/<int:draft_id>/apercu/<mode>/<language>")
@access.roles(ASSISTANT)
def preview_draft(draft_id: int, mode: str, language: str) -> ResponseReturnValue:
    """The draft as visitors would see it."""
    found = _draft(draft_id)
    questionnaire = questionnaires.check_draft(found).questionnaire
    if questionnaire is None:
        abort(404)
    return _preview(questionnaire, found.translations, mode, language)


@blueprint.get("/versions/<digest>")
@access.roles(ASSISTANT)
def version(digest: str) -> ResponseReturnValue:
    """A published version: what it changed, its source."""
    found = _version(digest)
    questionnaire = questionnaires.questionnaire_of(found)
    modes = [mode for mode in MODES if mode in questionnaire.modes]
    languages = [SOURCE_LANGUAGE, *found.translations]
    in_force = found in questionnaires.newest_versions()
    return render_template(
        "staff/version.html",
        version=found,
        modes=modes,
        languages=languages,
        coverage=to_complete.coverage_of(found) if in_force else (),
    )


@blueprint.get("/versions/<digest>/apercu/<mode>/<language>")
@access.roles(ASSISTANT)
def preview_version(digest: str, mode: str, language: str) -> ResponseReturnValue:
    """A published version as visitors see it."""
    found = _version(digest)
    return _preview(questionnaires.questionnaire_of(found), found.translations, mode, language)


def _preview(
    questionnaire: Questionnaire, translations: dict[str, dict[str, str]], mode: str, language: str
) -> ResponseReturnValue:
    """All questions on one page, or all screens of the tablet; nothing in it can be sent."""
    known = next((m for m in MODES if m == mode and m in questionnaire.modes), None)
    if known is None or language not in (SOURCE_LANGUAGE, *translations):
        abort(404)
    view = view_of(questionnaire, translations, language, known)
    return render_questionnaire(
        questionnaire,
        translations,
        language,
        mode=known,
        page=Page(),
        template="staff/preview_tablet.html" if known == "tablet" else "staff/preview.html",
        screens=screens_of(view),
        note="Aperçu\u00a0: rien n’est envoyé ni compté.",
    )


def _draft(draft_id: int) -> QuestionnaireDraft:
    found = questionnaires.find_draft(draft_id)
    if found is None:
        abort(404)
    return found


def _version(digest: str) -> QuestionnaireVersion:
    found = db.session.get(QuestionnaireVersion, digest)
    if found is None:
        abort(404)
    return found
