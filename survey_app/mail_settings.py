"""How mail leaves and comes back: the relay, the sender, the return path. Floor 2.

DKIM, SPF and DMARC are the relay's: ``docs/installer.md`` says what to ask of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email

STARTTLS: Final = "starttls"
TLS: Final = "tls"
NONE: Final = "none"
PORTS: Final = {STARTTLS: 587, TLS: 465, NONE: 25}
"""Each way of speaking to a relay, with the port it usually has."""
LARGEST_PORT: Final = 65_535
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
TAG_SEPARATOR: Final = "+"


@dataclass(frozen=True)
class MailSettings:
    """Where mail is handed over. Raises ValueError, with one line that names the variable."""

    host: str = ""
    """The relay; without one no mail leaves, and everything waits."""
    port: int = 0
    security: str = STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    return_path: str = ""
    """Where bounces go: ``local@domain``, each message adding a tag of its own, ``local+tag@domain``."""
    bounce_folder: Path | None = None
    """A Maildir into which the mailbox of the return path is delivered."""

    def __post_init__(self) -> None:
        if self.security not in PORTS:
            raise ValueError(
                f"SMTP_SECURITY\u00a0: «\u202f{self.security}\u202f»\u202f; écrivez {', '.join(PORTS)}."
            )
        if not 0 <= self.port <= LARGEST_PORT:
            raise ValueError(f"SMTP_PORT : {self.port} n’est pas un numéro de port.")
        if self.password and self.security == NONE and self.host not in LOOPBACK:
            raise ValueError(
                "SMTP_SECURITY\u00a0: «\u202fnone\u202f» enverrait le mot de passe en clair\u202f; "
                "écrivez starttls ou tls."
            )
        object.__setattr__(self, "port", self.port or PORTS[self.security])
        object.__setattr__(self, "return_path", self.return_path or self.sender)

    @property
    def lacks(self) -> tuple[str, ...]:
        """The variables without which nothing can be sent."""
        needed = {"SMTP_HOST": self.host, "MAIL_SENDER": self.sender}
        return tuple(variable for variable, value in needed.items() if not value)

    def return_address(self, tag: str) -> str:
        """The return path of one message."""
        local, _, domain = self.return_path.rpartition("@")
        return f"{local}{TAG_SEPARATOR}{tag}@{domain}"


def read_mail_settings(environment: Mapping[str, str]) -> MailSettings:
    """The settings of this environment. Raises ValueError, with one line."""
    given = {
        name: read(variable, value)
        for variable, (name, read) in MAIL_VARIABLES.items()
        if (value := environment.get(variable, "").strip())
    }
    return MailSettings(**given)


def _text(_variable: str, value: str) -> str:
    return value


def _word(_variable: str, value: str) -> str:
    return value.lower()


def _number(variable: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise ValueError(f"{variable}\u00a0: «\u202f{value}\u202f» n’est pas un nombre entier positif.")
    return int(value)


def _address(variable: str, value: str) -> str:
    try:
        found = validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError as fault:
        raise ValueError(
            f"{variable}\u00a0: «\u202f{value}\u202f» n’est pas une adresse électronique."
        ) from fault
    if found.ascii_email is None:
        raise ValueError(
            f"{variable}\u00a0: «\u202f{value}\u202f» a des accents devant le @\u202f; prenez-en une sans."
        )
    return found.ascii_email


def _content_of_file(variable: str, value: str) -> str:
    try:
        return Path(value).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise ValueError(f"{variable}\u00a0: le fichier {value} n’est pas lisible.") from fault


def _maildir(variable: str, value: str) -> Path:
    if not Path(value).is_dir():
        raise ValueError(f"{variable}\u00a0: le dossier {value} n’existe pas ou n’est pas lisible.")
    return Path(value)


MAIL_VARIABLES: Final[dict[str, tuple[str, Callable[[str, str], Any]]]] = {
    "SMTP_HOST": ("host", _text),
    "SMTP_PORT": ("port", _number),
    "SMTP_SECURITY": ("security", _word),
    "SMTP_USER": ("user", _text),
    "SMTP_PASSWORD": ("password", _text),
    "SMTP_PASSWORD_FILE": ("password", _content_of_file),
    "MAIL_SENDER": ("sender", _address),
    "MAIL_RETURN_PATH": ("return_path", _address),
    "BOUNCE_FOLDER": ("bounce_folder", _maildir),
}
