"""The tablet's pages: start, questionnaires, worker, list of files. Its calls: ``tablet_api.py``. Floor 5."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort, request

from survey_app import access, assets
from survey_app.collection_modes import tablet_api
from survey_app.collection_modes.tablet_bundle import MANIFEST, START, current_bundle
from survey_app.responses.record_keys import KeyFileError

blueprint = Blueprint("tablet", __name__)
blueprint.register_blueprint(tablet_api.blueprint)


def bundle_digest() -> str | None:
    """What tablets are to hold; None while there is no key to seal to, and so no bundle."""
    try:
        return current_bundle().digest
    except KeyFileError:
        return None


# The staff's page compares what tablets hold with it, and may not lean on a collection mode.
blueprint.record_once(lambda setup: setup.app.extensions.update(survey_tablet_bundle=bundle_digest))


@blueprint.get(START)
@access.public
def start() -> Response:
    """Enrolment, choice of language, the agent's line."""
    return _page(START, "text/html; charset=utf-8")


@blueprint.get("/tablette/q/<slug>/<language>")
@access.public
def interview(slug: str, language: str) -> Response:
    """One questionnaire in one language, the same for everybody: no token, no id, no answer in it."""
    return _page(f"{START}q/{slug}/{language}", "text/html; charset=utf-8")


@blueprint.get(MANIFEST)
@access.public
def web_manifest() -> Response:
    """What makes the page installable."""
    return _page(MANIFEST, "application/manifest+json")


@blueprint.get("/tablette/bundle.json")
@access.public
def listing() -> Response:
    """All files of the bundle with their hashes, and the questionnaires that tablets ask now."""
    return _fresh(current_bundle().listing, "application/json")


@blueprint.get("/tablette/sw.js")
@access.public
def service_worker() -> Response:
    """The worker of the current bundle, which its first line names: another bundle is another worker."""
    script = (assets.BUILD / Path(assets.asset("service_worker.js")).name).read_bytes()
    return _fresh(
        f'const BUNDLE_DIGEST="{current_bundle().digest}";\n'.encode() + script,
        "text/javascript; charset=utf-8",
    )


def _page(address: str, media_type: str) -> Response:
    content = current_bundle().pages.get(address)
    if content is None:
        abort(404)
    return _fresh(content, media_type)


def _fresh(content: bytes, media_type: str) -> Response:
    """Asked again each time, answered in short when unchanged; offline it is the worker that keeps it."""
    response = Response(content, content_type=media_type)
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
