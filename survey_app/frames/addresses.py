"""Electronic and postal addresses as the lists write them. Floor 4."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email

_SEPARATORS: Final = re.compile(r"[;,\s|]+")
_LINES: Final = ("complement1", "complement2", "numero_voie", "service_distribution")
LONGEST: Final = 300


class AddressError(ValueError):
    """None of what stands there is an address; the message is what stands there."""


def email_of(text: str) -> tuple[str | None, int]:
    """The first address of a cell, and how many there were; (None, 0) for an empty cell.

    No name server is asked. Raises `AddressError` where nothing in the cell is an address.
    """
    bare = re.sub(r"mailto:|[<>\"«»()\u200b\ufeff]", " ", text.replace("\u00a0", " "), flags=re.I)
    parts = [part.strip(".") for part in _SEPARATORS.split(bare) if part.strip(".")]
    good = [address for address in map(_valid, parts) if address]
    if parts and not good:
        raise AddressError(text.strip())
    return (good[0] if good else None), len(good)


def _valid(text: str) -> str | None:
    try:
        # Addresses under « .test » are those of the demonstration.
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        return None


def postal_of(cells: Mapping[str, str]) -> str | None:
    """The lines below the name, from the Annuaire's JSON or from columns; None without a town."""
    written = cells.get("address", "").strip()
    if written.startswith(("[", "{")):
        return _from_json(written)
    street = [clean_line(part) for part in re.split(r"[\n|]", written)]
    street.append(clean_line(cells.get("address_more", "")))
    town = f"{cells.get('postcode', '').strip()} {cells.get('town') or cells.get('commune_name', '')}"
    if cells.get("postcode", "").strip():
        street.append(clean_line(town))
    lines = [line for line in street if line]
    return "\n".join(lines) if lines and re.search(r"\b\d{5}\b", lines[-1]) else None


def clean_line(text: str) -> str:
    """One line of an address, without what no printer prints."""
    seen = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(seen.split()).replace("'", "’")[:LONGEST]


def _from_json(text: str) -> str | None:
    """Of the addresses in an entry of the Annuaire, the one for letters, or else the first."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        return None
    known = [
        entry for entry in (entries if isinstance(entries, list) else [entries]) if isinstance(entry, dict)
    ]
    known.sort(key=lambda entry: entry.get("type_adresse") != "Adresse postale")
    return next((lines for lines in map(_lines, known) if lines), None)


def _lines(entry: Mapping[str, Any]) -> str | None:
    street = [clean_line(str(entry.get(part) or "")) for part in _LINES]
    town = clean_line(f"{entry.get('code_postal') or ''} {entry.get('nom_commune') or ''}")
    return "\n".join([*filter(None, street), town]) if re.match(r"\d{5} \S", town) else None


def services_of(text: str) -> frozenset[str]:
    """The kinds of service in the Annuaire's « pivot »: ``mairie``, ``epci``, ``cg``…"""
    return frozenset(re.findall(r"type_service_local\"?\s*:\s*\"([a-z_]+)\"", text)) or frozenset(
        {text.strip().casefold()}
    )
