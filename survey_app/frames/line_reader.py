"""One line of a list → one entry, or the sentence that says why not. Floor 4."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from survey_app.frames.addresses import AddressError, email_of, postal_of, services_of
from survey_app.frames.entries import Entry, Note, Reading, Territory
from survey_app.frames.files import FrameError, Line, Sheet, quoted
from survey_app.frames.headings import find_header, normalised
from survey_app.frames.words import (
    COMMUNE,
    DEPARTMENT,
    INTERCOMMUNALITY,
    civility_before,
    civility_of,
    kind_of,
    office_of,
)

LONGEST_TEXT: Final = 200
LONGEST_NUMBER: Final = 8
NO_INHABITANTS: Final = frozenset({"", "-", "nd", "nc", "n c", "n d"})
_SERVICES: Final = {
    "mairie": COMMUNE,
    "epci": INTERCOMMUNALITY,
    "cg": DEPARTMENT,
    "conseil_departemental": DEPARTMENT,
}
_BEFORE_A_NAME: Final = re.compile(r"^(mairie|h[ôo]tel de ville)\s*([-–—]|d[eu’' ]+|des )\s*", re.I)
_DATES: Final = (
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?"), (1, 2, 3)),
    (re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: .*)?"), (3, 2, 1)),
)


class LineError(ValueError):
    """The line is left out; the message says why, and the remedy."""


def read_entries(sheet: Sheet, territory: Territory, today: dt.date) -> Reading:
    """Every line of a file. Raises `FrameError` where no line of it could be understood."""
    header = find_header([line.cells for line in sheet.lines])
    said = quoted(sheet.name)
    if header is None:
        raise FrameError(
            f"{said}\u00a0: aucune ligne de titres reconnue. "
            "La première ligne doit nommer les colonnes\u00a0: code de la commune, nom, prénom, courriel…"
        )
    if header.others:
        raise FrameError(
            f"{said}\u00a0: ce fichier liste {header.others}. Déposez celui des maires, des "
            "conseillers municipaux, communautaires ou départementaux."
        )
    if not header.lists:
        raise FrameError(
            f"{said}\u00a0: ni commune, ni intercommunalité, ni canton. Colonnes lues\u00a0: "
            f"{', '.join(filter(None, header.headings))[:300]}."
        )
    return _read_lines(Reading(sheet, header, header.lists), territory, today)


def _read_lines(reading: Reading, territory: Territory, today: dt.date) -> Reading:
    reader = LineReader(reading, territory, today)
    for line in reading.sheet.lines[reading.header.at + 1 :]:
        if tuple(cell.strip() for cell in line.cells) == reading.header.headings:
            continue  # two files pasted one below the other
        try:
            reading.entries += reader.entry(line)
        except LineError as fault:
            reading.left_out.append(Note(reading.sheet.name, line.number, str(fault)))
    return reading


class LineReader:
    """Reads the lines of one file, whose header is known."""

    def __init__(self, reading: Reading, territory: Territory, today: dt.date) -> None:
        self._reading, self._territory, self._today = reading, territory, today
        self._columns = reading.header.columns
        self._width = len(reading.header.headings)
        self._usual = self._usual_office()

    def _usual_office(self) -> str:
        """Of a line that names no office: the file of the mayors has no such column."""
        if self._reading.lists != "people":
            return ""
        town_hall = self._columns.keys() & {"commune_code", "commune_name"} and "siren" not in self._columns
        return "mayor" if town_hall and "office" not in self._columns else "councillor"

    def entry(self, line: Line) -> Iterator[Entry]:
        """The entry of a line; nothing for a line of somewhere else."""
        cells = self._cells(line)
        if cells.get("commune_type", "COM").strip() not in ("COM", ""):
            return  # in the list of INSEE: a former commune, under the code of the new one
        kind = self._kind(cells)
        if kind is None:
            self._reading.others += 1
            return
        code = self._code(kind, cells)
        if not self._is_ours(kind, code, cells):
            self._reading.elsewhere += 1
            return
        self._still_holds(cells)
        yield self._made(line, kind, code, cells)

    def _made(self, line: Line, kind: str, code: str, cells: Mapping[str, str]) -> Entry:
        named = self._reading.lists == "people"
        if named and not cells.get("last_name"):
            raise LineError("le nom manque. Complétez-le, ou retirez la ligne.")
        before, last_name = civility_before(cells.get("last_name", ""))
        return Entry(
            file=self._reading.sheet.name,
            line=line.number,
            kind=kind,
            code=code,
            name=self._name(kind, cells),
            arrondissement=self._arrondissement(cells),
            inhabitants=self._inhabitants(line, cells),
            office=office_of(cells.get("office", ""), self._usual) if named else "",
            civility=(civility_of(cells.get("sex", "")) or before) if named else "",
            first_name=cells.get("first_name", "") if named else "",
            last_name=last_name if named else "",
            email=self._email(line, cells),
            postal_address=postal_of(cells),
            since=_date(cells.get("function_start", "")) or _date(cells.get("mandate_start", "")),
            commune=self._five(cells),
            principal="deleguee" not in normalised(cells.get("last_name", "")),
        )

    def _cells(self, line: Line) -> dict[str, str]:
        """Meaning → text, of the columns that are read and of no other."""
        if any(cell.strip() for cell in line.cells[self._width :]):
            raise LineError(
                f"{len(line.cells)} colonnes au lieu de {self._width}. Un séparateur est de trop\u00a0: "
                "mettez ce texte entre guillemets."
            )
        cells = {
            meaning: _clean(line.cells[at], keep_lines=meaning == "address") if at < len(line.cells) else ""
            for meaning, at in self._columns.items()
        }
        if any("\ufffd" in text for text in cells.values()):
            raise LineError("un caractère est abîmé (�). Enregistrez le fichier en «\u202fCSV UTF-8\u202f».")
        long_ones = [
            meaning for meaning, text in cells.items() if len(text) > LONGEST_TEXT and meaning in _SHORT
        ]
        if long_ones:
            raise LineError(
                f"un texte de plus de {LONGEST_TEXT} caractères ({quoted(cells[long_ones[0]], 30)})."
            )
        return cells

    def _kind(self, cells: Mapping[str, str]) -> str | None:
        if self._reading.lists == "directory":
            found = [_SERVICES[one] for one in services_of(cells.get("service", "")) if one in _SERVICES]
            return found[0] if found else None
        if cells.get("siren") or "intercommunality" in self._columns:
            return INTERCOMMUNALITY if not cells.get("authority") else kind_of(cells["authority"])
        if cells.get("authority"):
            return kind_of(cells["authority"])
        return COMMUNE if self._columns.keys() & {"commune_code", "commune_name"} else DEPARTMENT

    def _code(self, kind: str, cells: Mapping[str, str]) -> str:
        if kind == COMMUNE:
            return self._commune_code(cells)
        if kind == DEPARTMENT:
            return self._department(cells) or self._territory.code or "D"
        siren = re.sub(r"\s", "", cells.get("siren", ""))
        if siren and not re.fullmatch(r"\d{9}", siren):
            raise LineError(
                f"le numéro SIREN {quoted(siren, 20)} ne convient pas. Écrivez ses neuf chiffres."
            )
        return siren

    def _five(self, cells: Mapping[str, str]) -> str:
        """A commune's code; three digits without the department, and a zero eaten by Excel, are mended."""
        code = cells.get("commune_code", "").replace(" ", "").upper()
        department = self._department(cells) or self._territory.code or ""
        if not code and self._reading.lists == "directory":
            code = next(iter(re.findall(r"\b\d[\dAB]\d{3}\b", cells.get("service", ""))), "")
        if re.fullmatch(r"\d{1,3}", code) and department:
            return department[:2] + code.zfill(3)
        return f"0{code}" if re.fullmatch(r"\d{4}", code) else code

    def _commune_code(self, cells: Mapping[str, str]) -> str:
        code = self._five(cells)
        if code and not re.fullmatch(r"(\d\d|2[AB])\d{3}", code):
            what = f"le code {quoted(code, 20)} n’est pas celui d’une commune"
            raise LineError(f"{what}. Écrivez ses cinq caractères, par exemple 79191.")
        return code

    def _department(self, cells: Mapping[str, str]) -> str:
        """The code of a department: « 79 », « 2A », « 971 »; « 1 » is « 01 »."""
        text = cells.get("department", "").upper()
        if self._territory.name and normalised(text) == normalised(self._territory.name):
            return self._territory.code or ""
        return text.zfill(2) if re.fullmatch(r"\d{1,3}|2[AB]", text) else ""

    def _is_ours(self, kind: str, code: str, cells: Mapping[str, str]) -> bool:
        ours = self._territory.code
        if ours is None:
            return True
        if kind == COMMUNE and code:
            return code.startswith(ours)
        if kind == INTERCOMMUNALITY and self._reading.lists == "directory":
            return (cells.get("commune_code") or ours).startswith(ours)
        return (self._department(cells) or ours) == ours

    def _name(self, kind: str, cells: Mapping[str, str]) -> str:
        if kind == DEPARTMENT:
            return (
                cells.get("authority")
                or f"Conseil départemental ({self._territory.name or self._territory.code})"
            )
        if self._reading.lists == "directory":
            return _BEFORE_A_NAME.sub("", cells.get("last_name", "")).strip() or cells.get("commune_name", "")
        own = cells.get("intercommunality") if kind == INTERCOMMUNALITY else cells.get("commune_name")
        name = own or cells.get("authority") or ""
        if not name and self._reading.lists == "places":
            name = cells.get("last_name", "")
        return _BEFORE_A_NAME.sub("", name).strip()

    def _arrondissement(self, cells: Mapping[str, str]) -> str | None:
        """By its name as the organisation writes it; as the file does where the organisation has none."""
        text = re.sub(
            r"^(sous-pr[ée]fecture|arrondissement)\s+(d[eu] |d[’'])",
            "",
            cells.get("arrondissement", ""),
            flags=re.I,
        )
        known = self._territory.arrondissements
        by_name = {normalised(name): name for name in known.values()}
        code = text if len(text) > 1 else f"{self._territory.code or ''}{text}"
        return known.get(code) or by_name.get(normalised(text)) or text or None

    def _inhabitants(self, line: Line, cells: Mapping[str, str]) -> int | None:
        text = re.sub(r"\s", "", cells.get("inhabitants", ""))
        if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER:
            return int(text)
        if normalised(text) not in NO_INHABITANTS:
            self._doubt(
                line, f"{quoted(text, 20)} n’est pas un nombre d’habitants\u00a0: il est laissé de côté."
            )
        return None

    def _email(self, line: Line, cells: Mapping[str, str]) -> str | None:
        try:
            address, several = email_of(cells.get("email", ""))
        except AddressError as fault:
            self._doubt(
                line,
                f"{quoted(str(fault), 60)} n’est pas une adresse électronique. Corrigez-la, ou cette ligne "
                "recevra une lettre.",
            )
            return None
        if several > 1:
            self._doubt(line, f"{several} adresses électroniques\u00a0: seule la première, {address}, sert.")
        return address

    def _still_holds(self, cells: Mapping[str, str]) -> None:
        for meaning, what in (("mandate_end", "mandat"), ("function_end", "fonction")):
            ended = _date(cells.get(meaning, ""))
            if ended is not None and ended <= self._today:
                gender = "e" if what == "fonction" else ""
                raise LineError(f"{what} terminé{gender} le {ended:%d/%m/%Y}. Rien à faire.")

    def _doubt(self, line: Line, text: str) -> None:
        self._reading.doubts.append(Note(self._reading.sheet.name, line.number, text))


_SHORT: Final = frozenset(
    {"commune_name", "intercommunality", "authority", "last_name", "first_name", "office", "arrondissement"}
)


def _clean(text: str, *, keep_lines: bool = False) -> str:
    """Composed letters, the printer's apostrophe, one space between words."""
    composed = unicodedata.normalize("NFC", text)
    if keep_lines:
        return composed.strip()
    seen = "".join(character if character.isprintable() else " " for character in composed)
    return re.sub(r"(?<=\w)'(?=\w)", "’", " ".join(seen.split()))


def _date(text: str) -> dt.date | None:
    """28/6/2020, 01/07/2021, 2021-07-01 00:00:00+00; None for what is no date."""
    for pattern, order in _DATES:
        if found := pattern.fullmatch(text.strip()):
            year, month, day = (int(found[number]) for number in order)
            try:
                return dt.date(year, month, day)
            except ValueError:
                return None
    return None
