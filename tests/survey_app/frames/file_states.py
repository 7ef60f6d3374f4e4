"""The states in which lists of officials really come: invented people, real headings.

`python -m tests.survey_app.frames.file_states` writes the files of ``tests/survey_app/data/frames/`` anew.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import xlsxwriter

FOLDER: Final = Path(__file__).resolve().parents[1] / "data" / "frames"
MAYORS: Final = (
    # code, commune, arrondissement, inhabitants, sex, last name, first name, since
    ("79001", "L'Absie", "Parthenay", 980, "F", "VALBRÈGUE", "Odile", (2020, 5, 25)),
    ("79049", "Bressuire", "Bressuire", 19800, "M", "D'ORMELLES", "Gaëtan", (2020, 7, 3)),
    ("79062", "Cerizay", "Bressuire", 4700, "F", "TISSERON-LACQ", "Maëlle", (2020, 5, 26)),
    ("79174", "Melle", "Niort", 6000, "M", "CHAUVIGNOT", "Yves", (2021, 7, 1)),
    ("79191", "Niort", "Niort", 59000, "M", "BRANDELIÈRE", "Honoré", (2020, 6, 28)),
    ("79202", "Parthenay", "Parthenay", 10200, "F", "PŒUVREAU", "Inès", (2020, 6, 28)),
    ("79270", "Saint-Maixent-l'École", "Niort", 6900, "F", "MORNAC", "Zoé", (2022, 11, 9)),
    ("79329", "Thouars", "Bressuire", 13900, "M", "QUÉRILLON", "Léon", (2020, 5, 23)),
)
LATIN_ONLY: Final = str.maketrans({"Œ": "OE", "œ": "oe"})
"""Latin-1 has no œ."""

NEVER_KEPT: Final = ("NULLE-PART-SUR-MER", "Commerçant INVENTÉ", "LNUANCE", "NATIONALE")
"""Birthplace, profession, nuance, nationality: not even looked into."""

_2019: Final = (
    "Code du département (Maire)|Libellé de département (Maires)|Code Insee de la commune"
    "|Libellé de la commune|Population de la commune|Nom de l'élu|Prénom de l'élu|Code sexe"
    "|Date de naissance|Code profession"
    "|Libellé de la profession|Date de début du mandat|Date de fin du mandat|Motif de fin de mandat"
    "|Libellé de fonction|Date de début de la fonction|Date de fin de la fonction|Motif de fin de fonction"
    "|Nuance politique (C. Mun.)|N° Identification d'un élu"
)
_2022: Final = (
    "Code du département|Libellé du département|Code de la commune|Libellé de la commune|Nom de l'élu"
    "|Prénom de l'élu|Code sexe|Date de naissance|Code de la catégorie socio-professionnelle"
    "|Libellé de la catégorie socio-professionnelle|Date de début du mandat|Date de début de la fonction"
)
_2023: Final = (
    "code_departement|libelle_departement|code_commune|libelle_commune|nom_elu|prenom_elu|sexe_elu"
    "|date_naissance|lieu_naissance|code_categorie_socio_pro|libelle_categorie_socio_professionnelle"
    "|date_debut_mandat|date_debut_fonction|nuance_politique"
)
_2024: Final = _2022.replace(
    "|Code de la commune",
    "|Code de la collectivité à statut particulier|Libellé de la collectivité à statut particulier"
    "|Code de la commune",
)
_MUNICIPAL: Final = _2024.replace(
    "|Date de début de la fonction",
    "|Libellé de la fonction|Date de début de la fonction|Code nationalité",
)

Day = Callable[[tuple[int, int, int]], str]


def columns(headings: str) -> list[str]:
    """The headings between the bars."""
    return headings.split("|")


def unpadded(day: tuple[int, int, int]) -> str:
    """28/6/2020."""
    return f"{day[2]}/{day[1]}/{day[0]}"


def padded(day: tuple[int, int, int]) -> str:
    """28/06/2020."""
    return f"{day[2]:02}/{day[1]:02}/{day[0]}"


def timestamp(day: tuple[int, int, int]) -> str:
    """2020-06-28 00:00:00+00."""
    return f"{day[0]}-{day[1]:02}-{day[2]:02} 00:00:00+00"


def mayors(headings: str, day: Day, *, short: bool = False) -> list[list[str]]:
    """The header and the lines; `short`: the commune in three digits, without its department."""
    names = columns(headings)
    return [names, *([_values(mayor, day, short=short).get(name, "") for name in names] for mayor in MAYORS)]


def _values(mayor: tuple[Any, ...], day: Day, *, short: bool) -> dict[str, str]:
    """Heading → value, for all headings of all states; the birth, profession and nuance are invented too."""
    code, commune, _, inhabitants, sex, last, first, since = mayor
    values: dict[str, str] = {}
    for names, value in (
        ("Code du département (Maire)|Code du département|code_departement", "79"),
        ("Libellé de département (Maires)|Libellé du département|libelle_departement", "Deux-Sèvres"),
        ("Code Insee de la commune|Code de la commune|code_commune", code[2:] if short else code),
        ("Libellé de la commune|libelle_commune", commune),
        ("Population de la commune", str(inhabitants)),
        ("Nom de l'élu|nom_elu", last),
        ("Prénom de l'élu|prenom_elu", first),
        ("Code sexe|sexe_elu", sex),
        ("Date de naissance|date_naissance", day((1961, 3, 9))),
        ("lieu_naissance", NEVER_KEPT[0]),
        ("Libellé de la profession|Libellé de la catégorie socio-professionnelle", NEVER_KEPT[1]),
        ("libelle_categorie_socio_professionnelle", NEVER_KEPT[1]),
        ("Nuance politique (C. Mun.)|nuance_politique", NEVER_KEPT[2]),
        ("Code nationalité", NEVER_KEPT[3]),
        ("Libellé de fonction|Libellé de la fonction", "Maire"),
        ("Date de début du mandat|Date de début de la fonction", day(since)),
        ("date_debut_mandat|date_debut_fonction", day(since)),
    ):
        values |= dict.fromkeys(names.split("|"), value)
    return values


def written(lines: Iterable[list[str]], delimiter: str, end: str, encoding: str, title: str = "") -> bytes:
    """Lines as bytes."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows(lines)
    text = title + stream.getvalue()
    return text.translate(LATIN_ONLY).encode(encoding) if encoding == "latin-1" else text.encode(encoding)


def typographic(lines: list[list[str]]) -> list[list[str]]:
    """With the printer's apostrophe."""
    return [[cell.replace("'", "’") for cell in line] for line in lines]


def with_councillors(lines: list[list[str]]) -> list[list[str]]:
    """Below each mayor a deputy."""
    names = lines[0]
    function, last, first = (
        names.index(n) for n in ("Libellé de la fonction", "Nom de l'élu", "Prénom de l'élu")
    )
    found = [names]
    for line in lines[1:]:
        deputy = list(line)
        deputy[function], deputy[last], deputy[first] = "1er adjoint au maire", f"SECOND{line[last]}", "Alix"
        found += [line, deputy]
    return found


def workbook() -> bytes:
    """A list made by hand: a title, a note, an empty line, codes as numbers, a sheet before it."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        book.set_properties({"created": dt.datetime(2026, 9, 2)})  # noqa: DTZ001 (the same bytes each time)
        book.add_worksheet("Lisez-moi").write(0, 0, "Liste tenue par le secrétariat")
        sheet = book.add_worksheet("Maires")
        sheet.write(0, 0, "Maires des Deux-Sèvres – à jour au 2 septembre 2026")
        sheet.write(1, 0, "Ne pas diffuser")
        headings = (
            "Code INSEE",
            "Commune",
            "Arrondissement",
            "Habitants",
            "Civilité",
            "Nom",
            "Prénom",
            "Courriel",
        )
        sheet.write_row(3, 0, (*headings, "Adresse", "Code postal", "Ville", "Prise de fonction"))
        for row, (code, commune, where, inhabitants, sex, last, first, _) in enumerate(MAYORS, start=4):
            civility = "Mme" if sex == "F" else "M."
            address = "" if code == "79001" else mailbox(code)
            sheet.write_row(row, 0, (int(code), commune, where, inhabitants, civility, last, first, address))
            sheet.write_row(row, 8, ("1 place de la Mairie", "79000", commune.upper()))
            sheet.write_datetime(row, 11, dt.datetime(2020, 5, 25))  # noqa: DTZ001 (a cell has no zone)
    return stream.getvalue()


def mailbox(code: str) -> str:
    """The invented mailbox of a town hall; two share one."""
    return "secretariat@pays.test" if code in ("79062", "79329") else f"mairie-{code}@deux-sevres.test"


def directory() -> bytes:
    """The Annuaire de l'administration: town halls, a delegated one, an intercommunality, a service apart."""
    headings = columns(
        "plage_ouverture|site_internet|copyright|siren|ancien_code_pivot|telephone|code_insee_commune|adresse"
        "|adresse_courriel|nom|pivot|id|date_modification"
    )
    lines = [headings]

    def add(code: str, name: str, service: str, email: str, siren: str = "", town: str = "") -> None:
        place = [
            {
                "type_adresse": "Adresse",
                "complement1": "",
                "complement2": "",
                "numero_voie": "1 place de l'Hôtel-de-Ville",
                "service_distribution": "",
                "code_postal": "79100",
                "nom_commune": town or name,
                "pays": "",
            },
            {
                "type_adresse": "Adresse postale",
                "numero_voie": "",
                "service_distribution": "BP 12",
                "code_postal": "79101",
                "nom_commune": f"{town or name} Cedex",
            },
        ]
        pivot = json.dumps([{"type_service_local": service, "code_insee_commune": [code]}])
        values = {
            "siren": siren,
            "code_insee_commune": code,
            "adresse": json.dumps(place[: 2 if code == "79191" else 1], ensure_ascii=False),
            "adresse_courriel": email,
            "nom": name,
            "pivot": pivot,
            "id": f"id-{code}-{service}",
        }
        lines.append([values.get(heading, "") for heading in headings])

    for code, commune, *_ in MAYORS:
        if code == "79049":
            add(code, "Mairie déléguée - Beaulieu", "mairie", "deleguee@deux-sevres.test", town=commune)
        add(code, f"Mairie - {commune}", "mairie", "" if code == "79001" else mailbox(code), town=commune)
    add("79191", "Conseil départemental - Deux-Sèvres", "cg", "contact@departement.test", town="Niort")
    add(
        "79191",
        "Communauté d'agglomération du Val Inventé",
        "epci",
        "val@epci.test",
        "200000017",
        town="Niort",
    )
    add("79191", "Gendarmerie - Niort", "gendarmerie", "gendarmes@deux-sevres.test", town="Niort")
    add("86194", "Mairie - Poitiers", "mairie", "mairie@poitiers.test", town="Poitiers")
    return written(lines, ";", "\n", "utf-8")


def geography() -> bytes:
    """INSEE's list of communes: where they lie; former communes stand under codes that are still in use."""
    lines = ["TYPECOM,COM,REG,DEP,CTCD,ARR,TNCC,NCC,NCCENR,LIBELLE,CAN,COMPARENT"]
    codes = {"Bressuire": "791", "Niort": "792", "Parthenay": "793"}
    for code, commune, where, *_ in MAYORS:
        lines.append(f"COM,{code},75,79,79D,{codes[where]},0,X,{commune},{commune},7901,")
        lines.append(f"COMD,{code},,,,,0,X,Ancien {commune},Ancien {commune},,{code}")
    return "\n".join(lines).encode() + b"\n"


def department_councillors(delimiter: str, encoding: str = "utf-8") -> bytes:
    """The 2022 and 2024 heading; one of them is the mayor of Melle."""
    headings = columns(
        "Code du département|Libellé du département|Code du canton|Libellé du canton|Nom de l'élu"
        "|Prénom de l'élu|Code sexe|Date de naissance|Code de la catégorie socio-professionnelle"
        "|Libellé de la catégorie socio-professionnelle|Date de début du mandat|Libellé de la fonction"
        "|Date de début de la fonction"
    )
    people = (
        ("CHAUVIGNOT", "Yves", "M", ""),
        ("LARGEASSE", "Brune", "F", "Présidente du conseil départemental"),
    )
    lines = [
        [
            "79",
            "Deux-Sèvres",
            "07",
            "Melle",
            last,
            first,
            sex,
            "09/03/1961",
            "12",
            "INVENTÉ",
            "01/07/2021",
            office,
            "",
        ]
        for last, first, sex, office in people
    ]
    return written([headings, *lines], delimiter, "\n", encoding)


def intercommunal_councillors() -> bytes:
    """`elus-epci.csv` of 2024; its president is the mayor of Niort."""
    headings = columns(
        "Code du département|Libellé du département|N° SIREN|Libellé de l'EPCI"
        "|Code de la commune de rattachement|Libellé de la commune de rattachement|Nom de l'élu"
        "|Prénom de l'élu|Code sexe|Date de naissance|Date de début du mandat|Libellé de la fonction"
        "|Date de début de la fonction"
    )
    people = (
        ("79191", "Niort", "BRANDELIÈRE", "Honoré", "M", "Président du conseil communautaire"),
        ("79191", "Niort", "ALOUETTE", "Pia", "F", "1er vice-président du conseil communautaire"),
        ("79174", "Melle", "MORNAC", "Zoé", "F", ""),
    )
    lines = [
        [
            *("79", "Deux-Sèvres", "200000017", "Communauté d'agglomération du Val Inventé"),
            *(code, commune, last, first, sex, "09/03/1961", "11/07/2020", office, ""),
        ]
        for code, commune, last, first, sex, office in people
    ]
    return written([headings, *lines], ";", "\r\n", "utf-8")


def regional_councillors() -> bytes:
    """What `elus-epci.csv` held on 30 July 2024."""
    headings = columns(
        "Code de la région|Libellé de la région|Code de la section départementale"
        "|Libellé de la section départementale|Nom de l'élu|Prénom de l'élu|Code sexe|Date de naissance"
        "|Date de début du mandat|Libellé de la fonction"
    )
    line = [
        "75",
        "Nouvelle-Aquitaine",
        "79",
        "Deux-Sèvres",
        "PERSONNE",
        "Ada",
        "F",
        "09/03/1961",
        "01/07/2021",
        "",
    ]
    return written([headings, line], ";", "\r\n", "utf-8")


MAYORS_IN_EVERY_STATE: Final[Mapping[str, Callable[[], bytes]]] = {
    "9-rne-maires-2020.txt": lambda: written(
        mayors(_2019, unpadded, short=True),
        "\t",
        "\r\n",
        "latin-1",
        "Titre du rapport : Liste des maires\r\n",
    ),
    "maires-2022.csv": lambda: written(mayors(_2022, padded), "\t", "\n", "utf-8"),
    "10-elus-maire-2023.csv": lambda: written(mayors(_2023, timestamp), "\t", "\n", "utf-8"),
    "maires-apostrophes.csv": lambda: written(typographic(mayors(_2022, padded)), "\t", "\r\n", "utf-8"),
    "elus-maires-2024.csv": lambda: written(mayors(_2024, padded), ";", "\r\n", "utf-8"),
    "maires-virgules.csv": lambda: written(mayors(_2022, padded), ",", "\n", "utf-8"),
    "maires-excel-utf8.csv": lambda: written(mayors(_2024, padded), ";", "\r\n", "utf-8-sig"),
    "maires-excel-windows.csv": lambda: written(typographic(mayors(_2024, padded)), ";", "\r\n", "cp1252"),
    "maires-excel-unicode.txt": lambda: written(mayors(_2022, padded), "\t", "\r\n", "utf-16"),
    "maires-a-la-main.xlsx": workbook,
}
OTHER_FILES: Final[Mapping[str, Callable[[], bytes]]] = {
    "elus-conseillers-municipaux.csv": lambda: written(
        with_councillors(mayors(_MUNICIPAL, padded)), ";", "\r\n", "utf-8"
    ),
    "annuaire.csv": directory,
    "v_commune.csv": geography,
    "3-rne-cd-2022.csv": lambda: department_councillors("\t"),
    "elus-cd-2024.csv": lambda: department_councillors(","),
    "elus-epci.csv": intercommunal_councillors,
    "elus-epci-du-30-juillet-2024.csv": regional_councillors,
}


EVERY_FILE: Final[Mapping[str, Callable[[], bytes]]] = {**MAYORS_IN_EVERY_STATE, **OTHER_FILES}


def read(name: str) -> tuple[str, bytes]:
    """A file of the folder, as it is uploaded."""
    return name, (FOLDER / name).read_bytes()


if __name__ == "__main__":
    for file, make in EVERY_FILE.items():
        (FOLDER / file).write_bytes(make())
