"""Everything a tablet shows, as one immutable bundle: pages, scripts, styles, each with its hash. Floor 5.

The service worker installs a bundle whole or not at all; another questionnaire, translation or script is
another bundle. Nothing in it depends on who asks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from flask import render_template

from form_definitions import LANGUAGES, Questionnaire, Translations, localise
from survey_app import assets, i18n
from survey_app.clock import today_in_paris
from survey_app.definitions import organisation
from survey_app.open_waves import open_waves, published_in
from survey_app.rendering import render_questionnaire
from survey_app.responses import record_keys
from survey_app.responses.record_keys import PublicKey

START: Final = "/tablette/"
MODE: Final = "tablet"
MANIFEST: Final = "/tablette/manifest.webmanifest"
STATIC: Final = Path(assets.__file__).parent / "static"
ICONS: Final = ("tablet/icon-192.png", "tablet/icon-512.png")


@dataclass(frozen=True)
class Offer:
    """One open wave that tablets ask, with its questionnaire."""

    wave_id: str
    sites: tuple[str, ...]
    languages: tuple[str, ...]
    questionnaire: Questionnaire
    digest: str
    translations: Translations
    opens_on: date
    closes_on: date
    """A tablet without network stops asking after this day by itself."""

    def address(self, language: str) -> str:
        """Where the page of this questionnaire in one language is."""
        return f"{START}q/{self.questionnaire.slug}/{language}"

    def title(self, language: str) -> str:
        """The title in this language (in French where it has no translation)."""
        return str(localise(self.questionnaire.title, language, self.translations).text)


@dataclass(frozen=True)
class Bundle:
    """The pages and the list, ready to send."""

    pages: dict[str, bytes]
    listing: bytes
    digest: str


def current_offers() -> tuple[Offer, ...]:
    """What tablets ask today, one wave per questionnaire (the newest)."""
    offers: dict[str, Offer] = {}
    for offer in _offers(today_in_paris()):
        offers.setdefault(offer.questionnaire.slug, offer)
    return tuple(offers[slug] for slug in sorted(offers))


def _offers(today: date) -> Iterator[Offer]:
    for wave in open_waves(MODE, today):
        version = published_in(wave)
        yield Offer(
            wave.id,
            wave.sites,
            wave.languages,
            version.questionnaire,
            version.digest,
            version.translations,
            wave.opens_on,
            wave.closes_on,
        )


_kept: dict[str, Bundle] = {}
KEPT_BUNDLES: Final = 4


def current_bundle() -> Bundle:
    """The bundle for what is open now, made once for each state of the waves, the built files and the keys.

    Raises
    ------
    KeyFileError
        There is no key to seal with: a tablet then keeps the bundle that it has.
    """
    offers = current_offers()
    sealing_key = record_keys.held().current()
    key = _key(offers, sealing_key)
    if key not in _kept:
        while len(_kept) >= KEPT_BUNDLES:
            _kept.pop(next(iter(_kept)))
        _kept[key] = _make(offers, sealing_key)
    return _kept[key]


def _key(offers: Sequence[Offer], sealing_key: PublicKey) -> str:
    known = [[o.wave_id, o.sites, o.languages, o.digest, o.translations, _days(o)] for o in offers]
    built = (assets.BUILD / "manifest.json").stat().st_mtime_ns
    return hashlib.sha256(json.dumps([known, built, sealing_key.key_id], sort_keys=True).encode()).hexdigest()


def _make(offers: Sequence[Offer], sealing_key: PublicKey) -> Bundle:
    pages = {START: _start_page(offers), MANIFEST: _web_manifest()}
    for offer in offers:
        for language in offer.languages:
            pages[offer.address(language)] = _interview_page(offer, language)
    static = {address: path.read_bytes() for address, path in _static_files()}
    files = [
        {"url": url, "sha256": hashlib.sha256(content).hexdigest()}
        for url, content in {**pages, **static}.items()
    ]
    listed = [_listed(offer) for offer in offers]
    content = {"files": files, "questionnaires": listed, "sealing_key": sealing_key.as_json()}
    digest = hashlib.sha256(_json(content)).hexdigest()
    return Bundle(pages, _json({**content, "bundle_digest": digest}), digest)


def _start_page(offers: Sequence[Offer]) -> bytes:
    cards = [(offer, LANGUAGES[code]) for offer in offers for code in offer.languages]
    languages = [LANGUAGES[code] for code in LANGUAGES if any(code in offer.languages for offer in offers)]
    with i18n.speaking(i18n.SOURCE_LANGUAGE):
        return render_template(
            "tablet/start.html",
            cards=cards,
            languages=languages,
            several=len(offers) > 1,
            translate=i18n.translate,
            organisation=organisation(),
        ).encode()


def _interview_page(offer: Offer, language: str) -> bytes:
    return render_questionnaire(
        offer.questionnaire,
        offer.translations,
        language,
        mode="tablet",
        template="tablet/interview.html",
        organisation=organisation(),
        several_languages=len(offer.languages) > 1,
    ).encode()


def _web_manifest() -> bytes:
    ours = organisation()
    return _json(
        {
            "id": START,
            "name": f"Votre avis – {ours.short_name}",
            "short_name": "Votre avis",
            "start_url": START,
            "scope": START,
            "display": "fullscreen",
            "display_override": ["fullscreen", "standalone"],
            "orientation": "any",
            "lang": i18n.SOURCE_LANGUAGE,
            "background_color": "#ffffff",
            "theme_color": "#14507a",
            "icons": [
                {
                    "src": f"/static/{icon}",
                    "sizes": f"{size}x{size}",
                    "type": "image/png",
                    "purpose": "any maskable",
                }
                for icon in ICONS
                for size in [icon.removesuffix(".png").rpartition("-")[2]]
            ],
        }
    )


def _static_files() -> Iterator[tuple[str, Path]]:
    for address in (assets.asset("tablet.js"), assets.asset("tablet.css")):
        yield address, assets.BUILD / Path(address).name
    for icon in ICONS:
        yield f"/static/{icon}", STATIC / icon


def _listed(offer: Offer) -> dict[str, Any]:
    return {
        "slug": offer.questionnaire.slug,
        "wave": offer.wave_id,
        "questionnaire_digest": offer.digest,
        "partial_policy": offer.questionnaire.partial_policy,
        "sites": list(offer.sites),
        "languages": list(offer.languages),
        **_days(offer),
    }


def _days(offer: Offer) -> dict[str, str]:
    return {"opens_on": offer.opens_on.isoformat(), "closes_on": offer.closes_on.isoformat()}


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
