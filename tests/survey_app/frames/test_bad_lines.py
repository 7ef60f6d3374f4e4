"""What is wrong with a list is said, line by line, with the remedy; nothing is guessed in silence."""

from __future__ import annotations

import io
import zipfile

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from survey_app.frames import FrameError, Territory, check_files
from survey_app.frames import files as frame_files
from tests.survey_app.frames.file_states import EVERY_FILE, read
from tests.survey_app.frames.lists import HEADINGS, TERRITORY, TODAY, by_hand, checked, doubts, left_out

GOOD = "79191;Niort;Niort;M.;BON;Léon;Maire;mairie@niort.test;79000;1 rue"
BAD_LINES = {
    "79x;Niort;;M.;A;B;Maire;;;": "le code «\u202f79X\u202f» n’est pas celui d’une commune",
    ";Vouhé;;M.;A;B;Maire;;;": "le code INSEE manque, et aucun fichier ne le donne pour «\u202fVouhé\u202f»",
    ";;;M.;A;B;Maire;;;": "ni code, ni nom de collectivité",
    "79049;Bressuire;;M.;;B;Maire;;;": "le nom manque",
    "79049;Bressuire;;M.;A;B;Maire;;;;;;trop": "13 colonnes au lieu de 10",
    "79049;Bressuire;;M.;A\ufffd;B;Maire;;;": "un caractère est abîmé",
    f"79049;Bressuire;;M.;{'A' * 300};B;Maire;;;": "un texte de plus de 200 caractères",
}


@pytest.mark.parametrize("line", BAD_LINES)
def test_each_bad_line_is_left_out_by_its_number_with_the_remedy(line: str) -> None:
    found = checked(by_hand(GOOD, line))
    assert BAD_LINES[line] in left_out(found)[3]
    assert [one.last_name for one in found.entries] == ["BON"]


def test_all_bad_lines_are_told_at_once() -> None:
    found = checked(by_hand(*BAD_LINES, GOOD))
    assert list(left_out(found)) == list(range(2, 2 + len(BAD_LINES)))


def test_nothing_is_imported_where_every_line_is_bad_and_each_is_told() -> None:
    with pytest.raises(FrameError) as refused:
        checked(by_hand(*list(BAD_LINES)[:2]))
    assert len(refused.value.faults) == 3
    assert "ligne 2" in refused.value.faults[1]


def test_a_line_number_is_that_of_the_file_also_below_cells_of_several_lines() -> None:
    found = checked(
        by_hand('79191;Niort;;M.;BON;L;Maire;;79000;"1 rue\nbâtiment B"', "79x;Niort;;M.;A;B;Maire;;;")
    )
    assert list(left_out(found)) == [4]
    assert found.entries[0].postal_address == "1 rue\nbâtiment B\n79000 Niort"


@pytest.mark.parametrize(
    ("email", "kept", "told"),
    [
        ("mairie@niort", None, "n’est pas une adresse électronique"),
        ("mairie niort.fr", None, "n’est pas une adresse électronique"),
        ("mairie@niort.fr,", "mairie@niort.fr", ""),
        ("Mairie <mairie@niort.fr>", "mairie@niort.fr", ""),
        ("mailto:Mairie@Niort.FR", "Mairie@niort.fr", ""),
        ("a@niort.fr / b@niort.fr", "a@niort.fr", "2 adresses"),
        ("", None, ""),
    ],
)
def test_a_bad_address_keeps_its_person_for_a_letter_and_is_told(
    email: str, kept: str | None, told: str
) -> None:
    found = checked(by_hand(f"79191;Niort;Niort;M.;BON;L;Maire;{email};79000;1 rue"))
    assert found.entries[0].email == kept
    assert told in doubts(found).get(2, "")
    assert bool(doubts(found)) is bool(told)


def test_one_broken_accent_in_utf_8_spoils_its_line_and_no_other() -> None:
    lines = [f"79{at:03};Éclères;Niort;M.;NÉ{at};Léon;Maire;;;" for at in range(1, 9)]
    name, raw = by_hand(*lines)
    found = checked((name, raw.replace("NÉ4;Léon".encode(), "NÉ4;Leon".encode("latin-1"))))
    assert "un caractère est abîmé" in left_out(found)[5]
    assert [one.last_name for one in found.entries] == [f"NÉ{at}" for at in range(1, 9) if at != 4]


def test_bytes_that_windows_does_not_know_are_read_as_latin() -> None:
    name, raw = by_hand("79191;Niort;Niort;M.;BON;Léon;Maire;;;")
    found = checked(
        (name, raw.decode().encode("latin-1") + "\n79049;X\x81;;M.;A;B;Maire;;;".encode("latin-1"))
    )
    assert found.readings[0].sheet.written.endswith("Latin-1")
    assert found.entries[0].first_name == "Léon"


def test_a_workbook_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_files, "LONGEST_READING", 0.001)
    with pytest.raises(FrameError, match="trop gros une fois ouvert"):
        checked(read("maires-a-la-main.xlsx"))


def test_the_same_person_twice_is_kept_once() -> None:
    found = checked(by_hand(GOOD, GOOD.replace("BON", "Bon")))
    assert left_out(found) == {3: "cette personne est déjà là\u00a0: ligne 2. Rien à faire."}


def test_of_two_mayors_of_a_commune_the_later_one_stays() -> None:
    headings = f"{HEADINGS};Date de début de la fonction"
    first, second = f"{GOOD};01/07/2020", f"{GOOD.replace('BON', 'NEUF')};3/2/2024"
    found = checked(by_hand(first, second, headings=headings))
    assert [one.last_name for one in found.entries] == ["NEUF"]
    assert "La ligne 3 est gardée, dont la fonction a commencé plus tard" in left_out(found)[2]


def test_an_ended_mandate_is_left_out() -> None:
    headings = f"{HEADINGS};Date de fin du mandat"
    found = checked(by_hand(f"{GOOD};", f"{GOOD.replace('BON', 'ANCIEN')};1/7/2020", headings=headings))
    assert left_out(found) == {3: "mandat terminé le 01/07/2020. Rien à faire."}


def test_codes_of_three_four_and_five_digits_are_understood() -> None:
    lines = [f"{code};X{code};;M.;N{code};B;Maire;;;" for code in ("1", "049", "79062")]
    assert [one.code for one in checked(by_hand(*lines)).entries] == ["79001", "79049", "79062"]
    ain = check_files([by_hand("1004;Ambérieu;;M.;A;B;Maire;;;")], Territory("01", "Ain"), TODAY)
    assert [one.code for one in ain.entries] == ["01004"]  # Excel ate the zero


def test_arrondissements_that_are_missing_unknown_or_empty_are_told() -> None:
    found = checked(by_hand(GOOD, "79049;Bressuire;;M.;A;B;Maire;;;", "79062;Cerizay;Cholet;M.;C;D;Maire;;;"))
    assert [one.name for one in found.nowhere()] == ["Bressuire"]
    assert found.unknown_arrondissements() == ["Cholet"]
    assert found.empty_arrondissements() == ["Bressuire", "Parthenay"]


@pytest.mark.parametrize("written", ["792", "2", "NIORT", "Arrondissement de Niort", "niort"])
def test_an_arrondissement_is_known_by_its_code_and_by_its_name(written: str) -> None:
    found = checked(by_hand(GOOD.replace(";Niort;Niort;", f";Niort;{written};")))
    assert found.entries[0].arrondissement == "Niort"


def test_a_person_without_any_address_is_told_as_unreachable() -> None:
    found = checked(by_hand("79191;Niort;Niort;M.;BON;L;Maire;;;"))
    assert [one.last_name for one in found.unreachable()] == ["BON"]


def test_a_file_newer_than_it_is_said_to_be_is_noticed() -> None:
    found = checked(read("elus-maires-2024.csv"))
    assert found.newest_office() is not None
    assert found.too_old(TODAY.replace(year=2021))
    assert not found.too_old(TODAY)


def workbook_of(rows: int, columns: int) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("Code INSEE", "Nom", "Prénom"))
        sheet.write(rows - 1, columns - 1, "loin")
    return stream.getvalue()


def bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (frame_files.MOST_UNPACKED + 1))
    return stream.getvalue()


def document() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>" * 50)
    return stream.getvalue()


def cut(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


WRONG_FILES = {
    "empty": (b"  \n", "le fichier est vide"),
    "a PDF": (b"%PDF-1.7 ...", "c’est un PDF"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "c’est une image"),
    "a page": (b"<!doctype html><html>", "c’est une page internet"),
    "JSON": (b'{"results": []}', "c’est du JSON"),
    "noughts": (b"Nom;Pr\x00nom\n\x00;1", "ce fichier n’est pas du texte"),
    "prose": (b"Madame, Monsieur,\nveuillez trouver", "aucune ligne de titres reconnue"),
    "no authority": (b"Nom;Prenom;Courriel\nA;B;c@d.fr", "ni commune, ni intercommunalité, ni canton"),
    "an open quote": ((HEADINGS + '\n"79191' + ";Niort\n" * 99).encode(), "jamais fermé"),
    "a cell without end": ((HEADINGS + "\n" + "x" * 200_000).encode(), "ce n’est pas un fichier CSV"),
    "too large": (b"x" * (frame_files.MOST_BYTES + 1), "plus de 20 Mo"),
    "too many lines": ((HEADINGS + "\n" + "1;X\n" * 60_001).encode(), "plus de 60000 lignes"),
    "too wide": ((HEADINGS + ";x" * 300 + "\n" + GOOD).encode(), "plus de 200 colonnes"),
    "a bomb": (bomb(), "trop gros une fois ouvert"),
    "a text document": (document(), "ce n’est pas un classeur lisible"),
    "half a workbook": (cut(workbook_of(3, 3)), "le classeur est abîmé"),
    "a far cell": (workbook_of(1_048_576, 16_384), "trop gros une fois ouvert"),
    "an old encrypted workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 3000,
        "pas un classeur lisible",
    ),
}


@pytest.mark.parametrize("kind", WRONG_FILES)
@pytest.mark.abuse("AC-82")
def test_a_wrong_file_is_refused_in_one_kind_sentence_that_names_it(kind: str) -> None:
    raw, told = WRONG_FILES[kind]
    with pytest.raises(FrameError, match=told) as refused:
        checked(("C:\\Bureau\\essai\x1b.csv", raw))
    assert "essai" in refused.value.faults[0]
    assert "\x1b" not in refused.value.faults[0]


def test_the_faults_of_all_files_are_told_together() -> None:
    with pytest.raises(FrameError) as refused:
        checked(("a.csv", b""), ("b.pdf", b"%PDF-"), read("annuaire.csv"))
    assert len(refused.value.faults) == 2


def test_no_file_and_too_many_files_are_refused() -> None:
    with pytest.raises(FrameError, match="au moins un fichier"):
        checked()
    with pytest.raises(FrameError, match="6 fichiers au plus"):
        checked(*[read("annuaire.csv")] * 7)


SEEDS = [make() for name, make in EVERY_FILE.items() if not name.endswith(".xlsx")]


@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=400).map(str.encode),
        st.tuples(st.sampled_from(SEEDS), st.integers(0, 3000), st.binary(max_size=6)).map(
            lambda seed: seed[0][: seed[1]] + seed[2] + seed[0][seed[1] + len(seed[2]) :]
        ),
        st.lists(st.lists(st.text(max_size=12), max_size=12), max_size=6).map(
            lambda rows: (HEADINGS + "\n" + "\n".join(";".join(row) for row in rows)).encode(
                "utf-8", "replace"
            )
        ),
    )
)
@example(b"\xff\xfe\x00")
@example(b"Nom,Commune\n\x85,\xa0")
@example(b'{"\xd9')
@settings(max_examples=300, deadline=None)
def test_no_bytes_make_more_than_a_kind_refusal(raw: bytes) -> None:
    if raw.startswith((b"PK", b"\xd0\xcf")):
        return  # workbooks are read apart; a process each would take minutes
    understood(("x.csv", raw))


def understood(file: tuple[str, bytes]) -> None:
    """The file is read, or refused in sentences; everything else that is raised goes through."""
    try:
        found = check_files([file], TERRITORY, TODAY)
    except FrameError as refused:
        faults, codes = refused.faults, ["none"]
    else:
        faults, codes = ("none",), [one.code for one in found.entries]
    assert all(fault.strip() for fault in faults)
    assert all(codes)


@given(st.integers(0, 6000), st.binary(min_size=1, max_size=8))
@settings(max_examples=15, deadline=None)
def test_no_broken_workbook_makes_more_than_a_kind_refusal(at: int, instead: bytes) -> None:
    _, raw = read("maires-a-la-main.xlsx")
    broken = raw[:at] + instead + raw[at + len(instead) :]
    understood(("x.xlsx", broken))
