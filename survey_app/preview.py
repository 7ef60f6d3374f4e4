"""`survey-app preview`: a questionnaire file in the browser while it is being written. Floor 5.

A small application apart from the real one: no database, no worker, nothing stored, loopback only. The page
is drawn by the same templates, and reloads when the file, its scales or its translations change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from form_definitions import (
    LANGUAGES,
    SOURCE_LANGUAGE,
    CollectionMode,
    Questionnaire,
    RoutingContext,
    check_file,
    relevant_items,
)
from form_definitions.library import folder_of
from survey_app import assets, i18n
from survey_app.definitions import organisation_of, translations_of
from survey_app.exports.words import MODE_LABELS
from survey_app.rendering import Page, render_questionnaire

MODES: Final[tuple[CollectionMode, ...]] = ("website", "tablet")
RELOADER: Final = """'use strict';
const shown = document.currentScript.dataset.version;
setInterval(async () => {
  try {
    const answer = await fetch('/version');
    if (answer.ok && (await answer.text()) !== shown) location.reload();
  } catch { /* the preview was stopped */ }
}, 700);
"""
STYLE: Final = """\
.preview { max-inline-size: 60rem; margin: 0 auto; padding: .75rem 1.25rem; font-size: 1rem; }
.preview p { margin: 0; }
.preview p + p { display: flex; flex-wrap: wrap; gap: 0 1.25rem; }
.preview a { display: inline-block; padding-block: .3rem; }
.preview [aria-current] { color: inherit; font-weight: 650; text-decoration: none; }
.tablet .preview ~ main { max-inline-size: 60rem; margin-inline: auto; padding-inline: 1.25rem; }
.tablet .question { margin-block-end: 3rem; }
"""


@dataclass(frozen=True)
class Previewed:
    """The file to show, and the folder that it takes its scales and translations from."""

    path: Path
    replaced: Path | None = None

    @property
    def folder(self) -> Path:
        """Where the scales, the organisation and the translations are."""
        return self.replaced or folder_of(self.path)

    def version(self) -> str:
        """Changes with any file that the page is made from."""
        return sha256("\n".join(self._states()).encode()).hexdigest()[:16]

    def _states(self) -> Iterator[str]:
        for path in (self.path, *sorted(self.folder.glob("*.yaml")), *sorted(self.folder.glob("*/*.po"))):
            if path.exists():
                yield f"{path} {path.stat().st_mtime_ns}"


def create_preview(path: Path, replaced: Path | None = None) -> Flask:
    """The application that shows this file; ``replaced``: a folder that replaces the program's own."""
    previewed = Previewed(path, replaced)
    app = Flask("survey_app")
    i18n.install(app)
    assets.install(app)
    app.jinja_env.globals["organisation"] = organisation_of(replaced)
    app.add_url_rule("/", view_func=lambda: redirect(f"/website/{SOURCE_LANGUAGE}"), endpoint="start")
    app.add_url_rule("/apercu.js", view_func=_reloader)
    app.add_url_rule("/apercu.css", view_func=_style)
    app.add_url_rule("/version", view_func=previewed.version, endpoint="version")
    app.add_url_rule(
        "/<mode>/<language>", view_func=lambda **chosen: _show(previewed, **chosen), endpoint="show"
    )
    return app


def _reloader() -> Response:
    return Response(RELOADER, mimetype="text/javascript")


def _style() -> Response:
    return Response(STYLE, mimetype="text/css")


def _show(previewed: Previewed, mode: str, language: str) -> ResponseReturnValue:
    known = {name: name for name in MODES}
    if mode not in known or language not in LANGUAGES:
        abort(404)
    version = previewed.version()
    checked = check_file(previewed.path, folder=previewed.folder)
    if checked.questionnaire is None:
        return render_template("preview/faults.html", faults=checked.faults, version=version)
    site = request.args.get("site") or checked.questionnaire.sites[0]
    i18n.speak(language)
    return render_questionnaire(
        checked.questionnaire,
        translations_of(previewed.folder),
        language,
        mode=known[mode],
        page=_page(checked.questionnaire, known[mode], site),
        template="preview/page.html",
        choices=list(_choices(previewed, checked.questionnaire, mode, language, site)),
        version=version,
    )


def _page(questionnaire: Questionnaire, mode: CollectionMode, site: str) -> Page:
    """All steps at once; what a condition keeps back is in the page, hidden."""
    context = RoutingContext(mode, site)
    sections = tuple(s.name for s in questionnaire.sections if context.admits(s))
    shown = {item.name for item in relevant_items(questionnaire, {}, context)}
    everything = frozenset(item.name for item in questionnaire.items if context.admits(item))
    return Page(sections=sections, items=everything, hidden=everything - shown, site=site)


def _choices(
    previewed: Previewed, questionnaire: Questionnaire, mode: str, language: str, site: str
) -> Iterator[list[dict[str, Any]]]:
    """A line of languages, one of modes, one of sites."""
    names = {code: organisation_of(previewed.replaced).site_name(code) for code in questionnaire.sites}
    yield [
        _choice(known.own_name, mode, code, site, lang=code, current=code == language)
        for code, known in LANGUAGES.items()
    ]
    yield [_choice(MODE_LABELS[name], name, language, site, current=name == mode) for name in MODES]
    yield [_choice(name, mode, language, code, current=code == site) for code, name in names.items()]


def _choice(
    label: str, mode: str, language: str, site: str, *, current: bool, lang: str = SOURCE_LANGUAGE
) -> dict[str, Any]:
    return {"label": label, "address": f"/{mode}/{language}?site={site}", "current": current, "lang": lang}
