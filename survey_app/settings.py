"""The settings, read once from the environment, frozen; a bad one stops the start with one line.

The table of the variables is in ``survey_app/responses/README.md`` and in ``docs/installer.md``.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from survey_app.mail_settings import MailSettings, read_mail_settings

LARGEST_POOL = 4
MINIMUM_SECRET_LENGTH = 32
MINIMUM_DISTINCT_CHARACTERS = 10
_DATABASES = ("sqlite://", "postgresql://", "postgresql+psycopg://", "postgres://")
_WEAK_WORDS = re.compile(r"change.?me|password|motdepasse|example|secret", re.IGNORECASE)
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


class SettingsError(ValueError):
    """A setting is missing or unusable. The message is one line: which, why, what to do."""


@dataclass(frozen=True)
class RetentionTerms:
    """How long each kind of data is kept, in days; ``survey-app purge`` applies them."""

    envelopes_after_sealing: int = 30
    """Raw records in the inbox, conflicting variants: days after the wave is sealed. Ids and hashes stay."""
    practice: int = 30
    """Practice answers: days after they were received."""
    free_texts_after_closing: int = 365
    """Free texts inside the answers: days after the wave closed. The coded answers stay."""
    responses_after_closing: int = 1826
    """Answers person by person: days after the wave closed. The tallies stay."""
    officials_after_results: int = 183
    """Who was asked by personal link: days after the last day of the results. The counts stay."""
    enrolment_codes: int = 30
    """One-time codes: days after their end."""
    sign_in_tries: int = 1
    """Tries to sign in: days after the try, at most; failures go after ten minutes, with the next try."""
    audit_entries: int = 1095
    """The log of staff actions: days after the entry."""


@dataclass(frozen=True)
class Settings:
    """Everything that differs between two installations."""

    secret_key: str = field(repr=False)
    device_master_key: str = field(repr=False)
    data_folder: Path = Path("var")
    definitions_folder: Path | None = None
    """Whose files go before those of ``form_definitions``: another prefecture's organisation and texts."""
    database_url: str = field(default="", repr=False)
    record_keys_folder: Path = Path()
    """Outside the database: who has a copy of one without the other reads no record of a tablet."""
    wave_keys_folder: Path = Path()
    """The same for surveys by personal link: one key per edition, destroyed when its answers are mixed."""
    public_url: str = "http://127.0.0.1:8000"
    trusted_hosts: tuple[str, ...] = ()
    trusted_proxies: int = 0
    demonstration: bool = False
    testing_mode: bool = False
    minimum_free_bytes: int = 200 * 2**20
    answer_size_limit: int = 256 * 2**10
    batch_size_limit: int = 8 * 2**20
    upload_size_limit: int = 20 * 2**20
    partial_grace_minutes: int = 60
    tablet_idle_seconds: int = 120
    """After so long without a touch, a tablet asks whether anybody is still there."""
    run_worker: bool = True
    retention: RetentionTerms = field(default_factory=RetentionTerms)
    mail: MailSettings = field(default_factory=MailSettings)

    @property
    def link_key(self) -> bytes:
        """Under which personal links, letter codes and objections are derived, and nothing of a tablet."""
        return hmac.digest(self.device_master_key.encode(), b"personal links", "sha256")

    def __post_init__(self) -> None:
        _check_secret("SECRET_KEY", self.secret_key)
        _check_secret("DEVICE_MASTER_KEY", self.device_master_key)
        if self.secret_key == self.device_master_key:
            raise SettingsError(
                "DEVICE_MASTER_KEY\u00a0: doit différer de SECRET_KEY\u202f; une clé, un usage."
            )
        _check_public_url(self.public_url)
        _check_database_url(self.database_url)
        _check_definitions_folder(self.definitions_folder)
        if not self.database_url:
            url = f"sqlite:///{(self.data_folder / 'survey.db').absolute()}"
            object.__setattr__(self, "database_url", url)
        if self.record_keys_folder == Path():
            object.__setattr__(self, "record_keys_folder", self.data_folder / "record-keys")
        if self.wave_keys_folder == Path():
            object.__setattr__(self, "wave_keys_folder", self.data_folder / "wave-keys")
        if not self.trusted_hosts:
            object.__setattr__(self, "trusted_hosts", _default_hosts(self.public_url))

    @property
    def processes(self) -> int:
        """One process for SQLite; for PostgreSQL one per core and one more, up to a limit."""
        if self.database_url.startswith("sqlite"):
            return 1
        return min(LARGEST_POOL, (os.cpu_count() or 1) + 1)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of this environment.

    Raises
    ------
    SettingsError
        With one line that names the variable, the fault and the remedy.
    """
    given: dict[str, Any] = {
        name: _READERS[name](variable, environment[variable])
        for variable, name in _VARIABLES.items()
        if environment.get(variable, "").strip()
    }
    for variable in ("SECRET_KEY", "DEVICE_MASTER_KEY"):
        if _VARIABLES[variable] not in given:
            raise SettingsError(f"{variable}\u00a0: absent. {_HOW_TO_MAKE_ONE}")
    terms = {
        name: _whole_number(variable, environment[variable])
        for name in RetentionTerms.__dataclass_fields__
        if (variable := f"RETENTION_{name.upper()}_DAYS") in environment
    }
    try:
        mail = read_mail_settings(environment)
    except ValueError as fault:
        raise SettingsError(str(fault)) from fault
    return Settings(**given, retention=RetentionTerms(**terms), mail=mail)


def testing(**overrides: Any) -> Settings:
    """Settings for tests: strong fixed keys, no background worker, anything overridden by keyword."""
    base = Settings(
        secret_key="k7Qw2ZpLx9Rt4VbN8mYc3HdF6sGj1AeU",  # noqa: S106 (only ever used by tests)
        device_master_key="p3Xc8LsTq5Wn1ZbJ7yRf4KvM9hGd2EaU",
        testing_mode=True,
        run_worker=False,
    )
    # What was derived from the default folder must not survive an overridden folder.
    derived = {
        "database_url": "",
        "trusted_hosts": (),
        "record_keys_folder": Path(),
        "wave_keys_folder": Path(),
    }
    return replace(base, **{**derived, **overrides})


_HOW_TO_MAKE_ONE = (  # shown with the fault
    "Générez-en un\u00a0: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
)


def _check_secret(variable: str, value: str) -> None:
    if len(value) < MINIMUM_SECRET_LENGTH:
        raise SettingsError(
            f"{variable}\u00a0: trop court ({len(value)} caractères, {MINIMUM_SECRET_LENGTH} au moins). "
            f"{_HOW_TO_MAKE_ONE}"
        )
    if len(set(value)) < MINIMUM_DISTINCT_CHARACTERS or _WEAK_WORDS.search(value):
        raise SettingsError(f"{variable}\u00a0: trop facile à deviner. {_HOW_TO_MAKE_ONE}")


def _check_public_url(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise SettingsError(
            f"PUBLIC_URL\u00a0: «\u202f{url}\u202f» n’est pas une adresse comme https://enquete.exemple.gouv.fr."
        )
    if parts.scheme == "http" and parts.hostname not in _LOCAL_HOSTS:
        raise SettingsError(
            "PUBLIC_URL\u00a0: doit commencer par https://\u202f; sans TLS les tablettes ne démarrent pas."
        )


def _check_database_url(url: str) -> None:
    if url and not url.startswith(_DATABASES):
        raise SettingsError(
            "DATABASE_URL\u00a0: doit commencer par sqlite:/// ou postgresql://\u202f; "
            "laissez-la vide pour SQLite."
        )


def _check_definitions_folder(folder: Path | None) -> None:
    if folder is not None and not folder.is_dir():
        raise SettingsError(
            f"DEFINITIONS_FOLDER\u00a0: le dossier {folder} n’existe pas ou n’est pas lisible."
        )


def _default_hosts(public_url: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((urlsplit(public_url).hostname or "", *_LOCAL_HOSTS)))


def _text(_variable: str, value: str) -> str:
    return value.strip()


def _folder(_variable: str, value: str) -> Path:
    return Path(value.strip())


def _list(_variable: str, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _whole_number(variable: str, value: str) -> int:
    if not value.strip().isascii() or not value.strip().isdigit():
        raise SettingsError(f"{variable}\u00a0: «\u202f{value}\u202f» n’est pas un nombre entier positif.")
    return int(value)


def _yes_or_no(variable: str, value: str) -> bool:
    known = {
        "1": True,
        "oui": True,
        "yes": True,
        "true": True,
        "0": False,
        "non": False,
        "no": False,
        "false": False,
    }
    if value.strip().lower() not in known:
        raise SettingsError(f"{variable}\u00a0: «\u202f{value}\u202f»\u202f; écrivez 1 ou 0.")
    return known[value.strip().lower()]


_VARIABLES = {
    "SECRET_KEY": "secret_key",
    "DEVICE_MASTER_KEY": "device_master_key",
    "SURVEY_DATA": "data_folder",
    "RECORD_KEYS_FOLDER": "record_keys_folder",
    "WAVE_KEYS_FOLDER": "wave_keys_folder",
    "DEFINITIONS_FOLDER": "definitions_folder",
    "DATABASE_URL": "database_url",
    "PUBLIC_URL": "public_url",
    "TRUSTED_HOSTS": "trusted_hosts",
    "TRUSTED_PROXIES": "trusted_proxies",
    "DEMONSTRATION": "demonstration",
    "MINIMUM_FREE_BYTES": "minimum_free_bytes",
    "PARTIAL_GRACE_MINUTES": "partial_grace_minutes",
    "TABLET_IDLE_SECONDS": "tablet_idle_seconds",
}
_READERS: dict[str, Any] = {
    "secret_key": _text,
    "device_master_key": _text,
    "data_folder": _folder,
    "record_keys_folder": _folder,
    "wave_keys_folder": _folder,
    "definitions_folder": _folder,
    "database_url": _text,
    "public_url": _text,
    "trusted_hosts": _list,
    "trusted_proxies": _whole_number,
    "demonstration": _yes_or_no,
    "minimum_free_bytes": _whole_number,
    "partial_grace_minutes": _whole_number,
    "tablet_idle_seconds": _whole_number,
}
