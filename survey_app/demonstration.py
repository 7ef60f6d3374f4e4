"""The demonstration: a database file of its own, the shipped questionnaires, and answers of nobody. Floor 5.

The synthetic answers take the road of real ones: envelope, inbox, intake, tallies.
"""

from __future__ import annotations

import json
import secrets
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from flask import Flask

from analysis.tally import CellLayout, CountedResponse
from form_definitions import Questionnaire, load_questionnaire, load_translations
from form_definitions.library import FOLDER
from survey_app.accounts import add_user, reset_passphrase
from survey_app.database import db
from survey_app.exports.asked_items import AskedItems
from survey_app.frames import import_frame
from survey_app.frames.synthetic import synthetic_frame
from survey_app.migrations import upgrade
from survey_app.past_counts import COLUMNS
from survey_app.past_results import import_counts
from survey_app.questionnaires import publish_source
from survey_app.responses import inbox
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import Envelope, encode_body, sealed, write_envelope
from survey_app.responses.intake import judge_waiting
from survey_app.responses.link_facts import MODE
from survey_app.responses.record_keys import PublicKey, RecordKeys, held
from survey_app.settings import Settings
from survey_app.synthetic_answers import OFFICIALS, USERS, Person, Population, people
from survey_app.waves import WavePlan, create_wave, open_wave

REFERENT_ADDRESS = "referent@exemple.fr"
SENDER = "enquete@exemple.fr"
INVENTED = {
    "email": "contact@exemple.fr",
    "phone": "05 00 00 00 00",
    "postal_address": "1 rue de l’Exemple, 79000 Exemple",
    "verification_page": "https://www.exemple.fr/enquete-elus",
    "name": "Camille Exemple",
    "title": "Directrice des collectivités locales",
    "data_protection_officer": "dpd@exemple.fr",
}
"""What organisation.yaml leaves to be filled in, for nobody."""
ACTOR = "démonstration"
SEED = 2026
BEFORE_SIZE, BEFORE_SHARE = 600, 0.9
"""The year before: so many people, content this much less often."""
PRACTICE = 3
"""So many of the first answers are marked as practice: shown, never counted."""

MARKER = "demonstration"
"""The file that says: this folder was made for the demonstration, and nothing else is in it."""

BEFORE, AFTER = timedelta(days=49), timedelta(days=60)
NOON = time(12, 0, tzinfo=UTC)
LONG_ENOUGH = timedelta(days=1)
"""Partial answers are judged at once: nobody is going to finish them."""


class FolderInUse(Exception):  # noqa: N818 (a state of the disk, told in one line)
    """The folder holds something that the demonstration did not make."""


@dataclass(frozen=True)
class DemonstrationWave:
    """One wave to be made: of which questionnaire, answered by whom."""

    code: str
    title: str
    questionnaire: str
    population: Population
    headcount: int | None = None


def demonstration_waves(year: int) -> tuple[DemonstrationWave, ...]:
    """Both audiences, this year."""
    return (
        DemonstrationWave(f"usagers-{year}", f"Usagers {year}", "users", USERS),
        DemonstrationWave(f"elus-{year}", f"Élus {year}", "elected_officials", OFFICIALS, headcount=1600),
    )


def demonstration_settings(folder: Path, port: int) -> Settings:
    """Settings with keys made at the first start and kept beside the database."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = folder / "keys.json"
    if not keys.exists():
        keys.touch(mode=0o600)
        keys.write_text(json.dumps({name: secrets.token_urlsafe(48) for name in ("session", "devices")}))
    kept = json.loads(keys.read_text())
    return Settings(
        secret_key=kept["session"],
        device_master_key=kept["devices"],
        data_folder=folder,
        definitions_folder=_definitions(folder / "definitions"),
        public_url=f"http://127.0.0.1:{port}",
        demonstration=True,
    )


def _definitions(folder: Path) -> Path:
    """The shipped organisation with what a prefecture fills in, all of it invented: mails are signed."""
    folder.mkdir(exist_ok=True)
    text = (FOLDER / "organisation.yaml").read_text(encoding="utf-8")
    for key, value in INVENTED.items():
        text = text.replace(f"  {key}: null", f'  {key}: "{value}"')
    (folder / "organisation.yaml").write_text(text, encoding="utf-8")
    return folder


def prepare(
    folder: Path, port: int, today: date, waves: Sequence[DemonstrationWave] | None = None
) -> tuple[Settings, str | None]:
    """The settings, and the passphrase of the referent if the data had to be made now.

    Raises
    ------
    FolderInUse
        The folder exists and is not the demonstration's: nothing in it is touched.
    """
    ready = folder / "ready"
    if not ready.exists():
        _clear(folder)
    settings = demonstration_settings(folder, port)
    if ready.exists():
        _make_a_key(settings)  # a folder of an earlier version has none
        return settings, None
    passphrase = fill(settings, today, demonstration_waves(today.year) if waves is None else waves)
    ready.touch()
    return settings, passphrase


def _clear(folder: Path) -> None:
    """An empty folder with the marker; only what an interrupted first start left behind goes."""
    marker = folder / MARKER
    if marker.is_file():
        shutil.rmtree(folder)
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderInUse(
            f"Le dossier «\u202f{folder}\u202f» contient déjà autre chose. Choisissez-en un autre."
        )
    folder.mkdir(parents=True, exist_ok=True)
    marker.touch()


def fill(settings: Settings, today: date, waves: Iterable[DemonstrationWave]) -> str:
    """Make the database with these waves; the passphrase of the referent."""
    _make_a_key(settings)
    application = _application(settings)
    with application.app_context():
        upgrade(db.engine)
        passphrase = add_user(REFERENT_ADDRESS, "Référente (démonstration)", ["referent"], actor=ACTOR)
        for wave in waves:
            _make_wave(wave, today)
        import_frame(synthetic_frame(SEED), actor=ACTOR)
        judge_waiting(now=datetime.now(tz=UTC) + LONG_ENOUGH)
        db.session.remove()
        db.engine.dispose()
    return passphrase


def _make_a_key(settings: Settings) -> None:
    keys = RecordKeys(settings.record_keys_folder)
    if not keys.all():
        keys.make(datetime.now(tz=UTC))


def new_passphrase(settings: Settings) -> str:
    """Another passphrase for the referent of the demonstration."""
    with _application(settings).app_context():
        return reset_passphrase(REFERENT_ADDRESS, actor=ACTOR)


def _application(settings: Settings) -> Flask:
    from survey_app import create_app

    return create_app(settings)


def _make_wave(wave: DemonstrationWave, today: date) -> None:
    path = FOLDER / "questionnaires" / f"{wave.questionnaire}.yaml"
    version = publish_source(path.read_text(encoding="utf-8"), load_translations(), actor=ACTOR)
    questionnaire = load_questionnaire(path)
    sites = tuple(questionnaire.sites)
    modes = tuple(mode for mode in questionnaire.modes if mode != MODE)  # nobody was invited
    plan = WavePlan(
        id=wave.code,
        title=wave.title,
        questionnaire_digest=version.digest,
        opens_on=today - BEFORE,
        closes_on=today + AFTER,
        sites=sites,
        languages=tuple(dict.fromkeys(("fr", *wave.population.languages))),
        modes=modes,
        headline_modes=modes,
        headline_sites=sites,
        population=wave.headcount,
        synthetic=True,
    )
    create_wave(plan, actor=ACTOR)
    open_wave(wave.code, actor=ACTOR)
    everybody = people(questionnaire, wave.population, first=plan.opens_on, last=today, seed=SEED)
    _send(list(everybody), plan)
    _import_year_before(questionnaire, wave, plan)


def _import_year_before(questionnaire: Questionnaire, wave: DemonstrationWave, plan: WavePlan) -> None:
    """Counts of a less content year, brought in as a prefecture brings those of its spreadsheets."""
    earlier = replace(
        wave.population,
        size=BEFORE_SIZE,
        satisfied={code: share * BEFORE_SHARE for code, share in wave.population.satisfied.items()},
    )
    layout, asked = CellLayout(questionnaire), AskedItems(questionnaire)
    total = layout.merge(
        layout.vector(CountedResponse(one.answers, asked.of(one.mode, one.site, one.answers), one.complete))
        for one in people(questionnaire, earlier, first=plan.opens_on, last=plan.opens_on, seed=SEED - 1)
    )
    measured = [(place.code, item) for place in layout.commitments.values() for item in place.items]
    counted = [(code, item, layout.tally(total, item)) for code, item in measured]
    lines = [",".join(COLUMNS), *(f"{code},{item},{t.favourable},{t.base}" for code, item, t in counted)]
    year = plan.opens_on.year - 1
    title = f"{year}, réponses inventées"
    import_counts(questionnaire.slug, year, title, "\n".join(lines), source=ACTOR, actor=ACTOR)


def _send(everybody: list[Person], plan: WavePlan) -> None:
    """Into the inbox, in one batch per tablet and one for the rest."""
    practising = {id(person) for person in everybody[:PRACTICE]}
    ordered = sorted(everybody, key=_sender)
    for (mode, site), group in groupby(ordered, key=_sender):
        credential = Credential(mode, site=site or None)
        key = held().current() if mode == "tablet" else None
        envelopes = (_envelope(person, plan, id(person) in practising, key) for person in group)
        _accept(envelopes, mode, credential)


def _sender(person: Person) -> tuple[str, str]:
    """A tablet's site is its own; website and paper answers say theirs."""
    return person.mode, person.site if person.mode == "tablet" else ""


def _accept(envelopes: Iterable[bytes], mode: str, credential: Credential) -> None:
    for fate in inbox.accept_all(envelopes, source=mode, credential=credential):
        if not isinstance(fate, inbox.Receipt):
            raise fate


def _envelope(person: Person, plan: WavePlan, practice: bool, key: PublicKey | None) -> bytes:
    body: dict[str, Any] = {
        "answers": dict(person.answers),
        "language": person.language,
        "site": None if person.mode == "tablet" else person.site,
        "complete": person.complete,
        "practice": practice,
        "started_at": None,
        "finished_at": datetime.combine(person.day, NOON).isoformat(),
        "clock_offset_ms": 0,
        "assisted": person.assisted,
    }
    envelope = Envelope(
        id=str(uuid.uuid4()),
        revision=0,
        device=None,
        seq=None,
        prev=None,
        wave=plan.id,
        questionnaire_digest=plan.questionnaire_digest,
        bundle_digest=None,
        body=encode_body(body),
    )
    return write_envelope(envelope if key is None else sealed(envelope, key))


def addresses(settings: Settings, passphrase: str | None, mail: str = "") -> Iterator[str]:
    """What a fresh start prints, line by line."""
    here = settings.public_url
    yield "Démonstration\u00a0: toutes les réponses sont synthétiques, aucune personne n’a répondu."
    yield f"Données\u00a0: {settings.data_folder.absolute()}"
    yield ""
    yield f"  Formulaire des usagers   {here}/q/usagers/fr"
    yield f"  Formulaire des élus      {here}/q/elus/fr"
    yield f"  Tablette                 {here}/tablette/"
    yield f"  Gestion                  {here}/gestion/"
    if mail:
        yield f"  Courriels envoyés        {mail}   (aucun n’est remis)"
    yield ""
    yield f"  Compte                   {REFERENT_ADDRESS}"
    if passphrase is None:
        yield "  Phrase secrète           celle du premier démarrage"
        yield "                           (une autre\u00a0: survey-app demo --new-passphrase)"
    else:
        yield f"  Phrase secrète           {passphrase}   (montrée une seule fois)"
    yield ""
    yield "Ctrl+C pour arrêter."
