"""The folder of the demonstration: its keys, its organisation, and what a start prints."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from form_definitions.library import FOLDER
from survey_app.mail_settings import MailSettings
from survey_app.settings import Settings

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

MARKER = "demonstration"
"""The file that says: this folder was made for the demonstration, and nothing else is in it."""


class FolderInUse(Exception):  # noqa: N818 (a state of the disk, told in one line)
    """The folder holds something that the demonstration did not make."""


def demonstration_settings(folder: Path, port: int, mail: MailSettings | None = None) -> Settings:
    """Settings with keys made at the first start, kept beside the database; no mail without a relay."""
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
        mail=mail or MailSettings(),
    )


def _definitions(folder: Path) -> Path:
    """The shipped organisation with what a prefecture fills in, all of it invented: mails are signed."""
    folder.mkdir(exist_ok=True)
    text = (FOLDER / "organisation.yaml").read_text(encoding="utf-8")
    for key, value in INVENTED.items():
        text = text.replace(f"  {key}: null", f'  {key}: "{value}"')
    (folder / "organisation.yaml").write_text(text, encoding="utf-8")
    return folder


def cleared(folder: Path) -> None:
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


def addresses(settings: Settings, passphrase: str | None, mail: str = "") -> Iterator[str]:
    """What a fresh start prints, line by line."""
    here = settings.public_url
    yield "Démonstration\u00a0: toutes les réponses sont synthétiques, aucune personne n’a répondu."
    yield f"Données\u00a0: {settings.data_folder.absolute()}"
    yield ""
    yield f"  Formulaire des usagers   {here}/q/usagers/fr"
    yield f"  Lettre d’un élu (code)   {here}/r/"
    yield f"  Tablette                 {here}/tablette/"
    yield f"  Gestion                  {here}/gestion/"
    if mail:
        yield f"  Courriels envoyés        {mail}   (aucun n’est remis\u00a0; leurs liens s’ouvrent ici)"
    yield ""
    yield f"  Compte                   {REFERENT_ADDRESS}"
    if passphrase is None:
        yield "  Phrase secrète           celle du premier démarrage"
        yield "                           (une autre\u00a0: survey-app demo --new-passphrase)"
    else:
        yield f"  Phrase secrète           {passphrase}   (montrée une seule fois)"
    yield ""
    yield "Ctrl+C pour arrêter."
