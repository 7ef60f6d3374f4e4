"""Friendly pages for what went wrong; JSON for the programs that call ``/api/``. Floor 4."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any, Final

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from form_definitions import LANGUAGES, SOURCE_LANGUAGE
from survey_app import i18n
from survey_app.database import DatabaseUnavailable
from survey_app.fault_log import told_without_values
from survey_app.responses.record_keys import KeyFileError

MESSAGES: Final[dict[int, tuple[str, str]]] = {
    400: ("Demande illisible", "Le serveur n’a pas compris la demande. Revenez en arrière et recommencez."),
    401: ("Connexion nécessaire", "Connectez-vous, puis recommencez."),
    403: ("Accès refusé", "Vous n’avez pas accès à cette page, ou la demande ne vient pas de ce site."),
    404: ("Page introuvable", "Cette adresse ne mène à aucune page. Vérifiez-la ou revenez à l’accueil."),
    405: ("Action impossible ici", "Cette page n’accepte pas cette action. Revenez à l’accueil."),
    413: (
        "Envoi trop volumineux",
        "Le fichier ou le texte est trop gros. Réduisez-le, puis recommencez.",
    ),
    415: ("Format non pris en charge", "Le serveur ne lit pas ce format."),
    422: ("Contenu à corriger", "Une partie de l’envoi est à corriger. Revenez en arrière et vérifiez-la."),
    429: ("Trop de tentatives", "Patientez une minute, puis recommencez. Rien n’est bloqué."),
    500: ("Une erreur est survenue", "L’erreur vient de notre côté. Réessayez dans quelques minutes."),
    503: (
        "Service momentanément indisponible",
        "L’enregistrement est impossible pour le moment. Réessayez dans quelques minutes.",
    ),
}
RETRY_SECONDS: Final = {429: 60, 503: 30}
"""When to come back at the earliest; half as long again at the latest, or all would come back at once."""
CLIENT_ERROR: Final = 400
SERVER_ERROR: Final = 500


def install(app: Flask) -> None:
    """Give every refusal its page."""
    app.register_error_handler(HTTPException, http_error)
    for busy in (DatabaseUnavailable, PoolTimeout, KeyFileError):
        app.register_error_handler(busy, unavailable)
    app.log_exception = partial(log_without_values, app)  # type: ignore[method-assign]
    app.register_error_handler(500, last_resort)


def http_error(error: HTTPException) -> Response | HTTPException:
    """The page for an HTTP error; redirects pass as they are."""
    code = error.code or SERVER_ERROR
    if error.response is not None or code < CLIENT_ERROR:
        return error
    response = error_response(code)
    for name, value in error.get_headers():
        if name in ("Allow", "WWW-Authenticate"):
            response.headers[name] = value
    return response


def unavailable(fault: Exception) -> Response:
    """What the world keeps from us is told to the log as well: somebody has to find out why."""
    current_app.logger.warning("unavailable on %s: %s", request.endpoint, told_without_values(fault))
    return error_response(503)


def log_without_values(app: Flask, exc_info: Any) -> None:
    """Where it broke and what kind of fault it is; never its message, which may quote an answer."""
    app.logger.error("on %s: %s", request.endpoint, told_without_values(exc_info[1]))


def last_resort(_error: Exception) -> Response:
    """Whatever nobody foresaw: a page without details, and a reference that the log repeats."""
    reference = secrets.token_hex(4)
    current_app.logger.error("unforeseen error, reference %s, on %s", reference, request.endpoint)
    return error_response(500, reference=reference)


def error_response(code: int, *, reference: str | None = None) -> Response:
    """The page (or JSON under ``/api/``) for this status."""
    title, advice = MESSAGES.get(code, MESSAGES[500 if code >= SERVER_ERROR else 400])
    response = (
        _as_json(code, title) if request.path.startswith("/api/") else _as_page(title, advice, reference)
    )
    response.status_code = code
    if code in RETRY_SECONDS:
        earliest = RETRY_SECONDS[code]
        response.headers["Retry-After"] = str(earliest + secrets.randbelow(earliest // 2))
    response.headers["Cache-Control"] = "no-store"
    return response


def _as_json(code: int, title: str) -> Response:
    return jsonify({"error": code, "message": title})


def _as_page(title: str, advice: str, reference: str | None) -> Response:
    staff = request.path.startswith("/gestion/")
    language = SOURCE_LANGUAGE if staff else _language_of_the_visitor()
    home = "/gestion/" if staff else f"/?lang={language}"
    with i18n.speaking(language):
        html = render_template(
            "errors/error.html",
            language=language,
            direction=LANGUAGES[language].direction,
            title=title,
            advice=advice,
            reference=reference,
            home=home,
        )
    return make_response(html)


def _language_of_the_visitor() -> str:
    """That of the page that failed; without a page, the one that the browser asks for."""
    of_the_address = (request.view_args or {}).get("language")
    if of_the_address in LANGUAGES:
        return str(of_the_address)
    return request.accept_languages.best_match(LANGUAGES, SOURCE_LANGUAGE)
