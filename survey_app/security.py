"""What protects every response and refuses the wrong requests. Floor 4; no survey in here.

Headers, origin of unsafe requests, sizes, hosts and proxy hops. The error pages are in
``error_pages.py``.
"""

from __future__ import annotations

from typing import ClassVar, Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from survey_app.settings import Settings

MEBIBYTE: Final = 2**20
SMALL_BODIES: Final = {"/api/v1/devices/enrol": 1_000, "/api/v1/devices/heartbeat": 16_000}
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types app",
    )
)

HEADERS: Final[dict[str, str]] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with it browsers send "Origin: null" on our own forms, and those without Fetch
    # Metadata (older Safari) could no longer be told from a foreign page.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class FramingPage(Response):
    """A page that shows one of our own in a frame."""

    protection: ClassVar[dict[str, str]] = {
        **HEADERS,
        "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; frame-src 'self'",
    }


class FramedMail(Response):
    """A mail as a page, in a frame of ours: its own styles, and nothing else of it is carried out."""

    protection: ClassVar[dict[str, str]] = {
        **HEADERS,
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    }


TRANSPORT_SECURITY: Final = "max-age=31536000; includeSubDomains"


def install(app: Flask, settings: Settings) -> None:
    """Wire everything of this module into the application."""
    app.config["TRUSTED_HOSTS"] = list(settings.trusted_hosts) or None
    app.config["MAX_FORM_PARTS"] = 2_000
    app.config["MAX_FORM_MEMORY_SIZE"] = 2 * MEBIBYTE
    app.config["SURVEY_OWN_ORIGIN"] = origin_of(settings.public_url)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.before_request(refuse_large_bodies)
    app.before_request(refuse_foreign_origins)
    app.after_request(add_headers)


def origin_of(address: str) -> str:
    """Scheme, host and port of an address, as browsers write them in ``Origin``."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def body_limit(path: str, settings: Settings) -> int:
    """How many bytes a request to this path may carry: a batch of records, an uploaded file, or answers."""
    small = SMALL_BODIES.get(path)
    if small is not None:
        return small
    if path == "/api/v1/records":
        return settings.batch_size_limit
    return settings.upload_size_limit if path.startswith("/gestion/") else settings.answer_size_limit


def refuse_large_bodies() -> None:
    """413 from the announced length, before a byte is read; 411 where none is announced.

    A body of unknown length would be cut at the limit without a word. Browsers announce it, and nginx does so
    for whoever does not.
    """
    limit = body_limit(request.path, current_app.extensions["survey_settings"])
    request.max_content_length = limit
    if request.content_length is None and "Transfer-Encoding" in request.headers:
        abort(411)
    if request.content_length is not None and request.content_length > limit:
        abort(413)


def refuse_foreign_origins() -> None:
    """An unsafe request must come from one of our own pages, or from something that is no browser."""
    if request.method not in SAFE_METHODS and not comes_from_us():
        abort(403)


def comes_from_us() -> bool:
    """Fetch Metadata first, ``Origin`` where a browser sends none.

    Every browser sends one of the two with an unsafe request. Whoever sends neither (a script, curl) is no
    browser that a foreign page could abuse; with our cookie it is refused all the same.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin in (origin_of(request.host_url), current_app.config["SURVEY_OWN_ORIGIN"])
    return current_app.config["SESSION_COOKIE_NAME"] not in request.cookies


def add_headers(response: Response) -> Response:
    """The same protection on every response, errors and files included."""
    # No view sets one of them itself, and to look for each takes time.
    response.headers.extend(getattr(response, "protection", HEADERS))
    if request.method not in SAFE_METHODS:
        response.vary.add("Sec-Fetch-Site")
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = TRANSPORT_SECURITY
    if is_private(request.path):
        response.headers["Cache-Control"] = "no-store"
    return response


def is_private(path: str) -> bool:
    """Pages for signed-in people, and answers to calls of the tablets: nothing of them is kept by a cache."""
    return path.startswith(("/gestion/", "/api/"))
