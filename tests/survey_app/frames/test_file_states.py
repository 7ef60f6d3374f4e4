"""Lists of officials as they really come: every state of a file gives the same people."""

from __future__ import annotations

import pytest

from survey_app.frames import FrameError, Territory, check_files, headings
from survey_app.frames.files import read_file
from survey_app.frames.headings import find_header
from tests.survey_app.frames.file_states import (
    EVERY_FILE,
    FOLDER,
    MAYORS,
    MAYORS_IN_EVERY_STATE,
    NEVER_KEPT,
    read,
)
from tests.survey_app.frames.lists import HEADINGS, TERRITORY, TODAY, by_hand, checked, left_out


def typeset(text: str) -> str:
    return text.replace("'", "’")


def expected() -> set[tuple[str, ...]]:
    return {
        (
            code,
            commune.replace("'", "’"),
            "Madame" if sex == "F" else "Monsieur",
            last.replace("'", "’"),
            first,
        )
        for code, commune, _, _, sex, last, first, _ in MAYORS
    }


@pytest.mark.parametrize("name", MAYORS_IN_EVERY_STATE)
def test_each_state_of_the_file_of_mayors_gives_the_same_mayors(name: str) -> None:
    found = checked(read(name))
    people = {
        (one.code, one.name, one.civility, one.last_name.replace("POEUV", "PŒUV"), one.first_name)
        for one in found.entries
    }
    assert people == expected()
    assert {one.office for one in found.entries} == {"mayor"}
    assert (found.left_out, found.doubts, found.elsewhere) == ((), (), 0)


@pytest.mark.parametrize("name", EVERY_FILE)
def test_the_files_of_the_folder_are_those_that_are_described(name: str) -> None:
    made = EVERY_FILE[name]()
    if name.endswith(".xlsx"):
        assert read_file(name, made).lines == read_file(*read(name)).lines
    else:
        assert made == (FOLDER / name).read_bytes()


@pytest.mark.parametrize(
    "name", [name for name in MAYORS_IN_EVERY_STATE if name not in ("maires-a-la-main.xlsx",)]
)
def test_birth_profession_and_nuance_are_told_as_never_read_and_are_in_no_entry(name: str) -> None:
    found = checked(read(name))
    never = found.readings[0].header.never_read
    assert any("naissance" in heading for heading in never)
    assert any("rofession" in heading or "socio" in heading for heading in never)
    kept = repr(found.entries)
    assert not [secret for secret in (*NEVER_KEPT, "1961") if secret in kept]


def test_a_column_of_births_would_be_seen_in_the_entries_if_it_were_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Control of the test above."""
    monkeypatch.setattr(headings, "NEVER_READ", ())
    monkeypatch.setitem(headings._MEANING_OF, "date de naissance", "commune_name")
    monkeypatch.delitem(headings._MEANING_OF, "libelle de la commune")
    assert "1961" in repr(checked(read("maires-2022.csv")).entries)


def test_the_name_of_the_file_means_nothing() -> None:
    _, raw = read("elus-maires-2024.csv")
    assert checked(("elus-epci.csv", raw)).entries[0].kind == "commune"


def test_the_file_that_held_regional_councillors_under_another_name_is_refused_by_what_it_holds() -> None:
    with pytest.raises(FrameError, match="liste des conseillers régionaux"):
        checked(read("elus-epci-du-30-juillet-2024.csv"))


@pytest.mark.parametrize("name", ["3-rne-cd-2022.csv", "elus-cd-2024.csv"])
def test_councillors_of_the_department_are_read_with_tabs_and_with_commas(name: str) -> None:
    found = checked(read(name))
    assert [(one.kind, one.office, one.last_name) for one in found.entries] == [
        ("department", "councillor", "CHAUVIGNOT"),
        ("department", "president", "LARGEASSE"),
    ]


def test_municipal_councillors_have_their_office_from_the_file() -> None:
    found = checked(read("elus-conseillers-municipaux.csv"))
    assert [one.office for one in found.entries[:2]] == ["mayor", "deputy"]
    assert len(found.entries) == 2 * len(MAYORS)


def test_addresses_and_arrondissements_come_from_the_other_files_by_the_code_of_the_commune() -> None:
    found = checked(read("elus-maires-2024.csv"), read("annuaire.csv"), read("v_commune.csv"))
    by_code = {one.code: one for one in found.entries}
    assert by_code["79191"].email == "mairie-79191@deux-sevres.test"
    assert by_code["79191"].postal_address == "BP 12\n79101 Niort Cedex"  # « Adresse postale » goes first
    assert by_code["79062"].postal_address == "1 place de l’Hôtel-de-Ville\n79100 Cerizay"
    assert by_code["79049"].email == "mairie-79049@deux-sevres.test"  # not that of the delegated town hall
    assert by_code["79001"].email is None
    assert {code: one.arrondissement for code, one in by_code.items()} == {
        code: where for code, _, where, *_ in MAYORS
    }
    assert [one.code for one in found.by_letter()] == ["79001"]
    assert found.shared_mailboxes() == [("secretariat@pays.test", 2)]


def test_a_commune_that_is_only_named_by_its_code_takes_its_name_from_the_other_files() -> None:
    own = by_hand("79270;;;M.;A;B;Maire;;;", "79400;;;M.;C;D;Maire;;;")
    names = [one.name for one in checked(own, read("v_commune.csv")).entries]
    assert names == ["Saint-Maixent-l’École", "Code 79400"]


def test_a_list_by_hand_without_codes_finds_them_by_the_names_of_the_communes() -> None:
    own = by_hand(
        ";ST MAIXENT L'ECOLE;;;Mme DUPONT Jeanne;;;;;",
        ";Absie (L');;;M. Martin;;;;;",
        ";l'absie;;;F. Petit;;;;;",
        ";Nulle-Part;;;F. Petit;;;;;",
        headings=HEADINGS.replace("Nom", "Maire"),
    )
    found = checked(own, read("v_commune.csv"), read("annuaire.csv"))
    assert [(one.code, one.arrondissement, one.civility, one.last_name) for one in found.entries] == [
        ("79270", "Niort", "Madame", "DUPONT Jeanne"),
        ("79001", "Parthenay", "Monsieur", "Martin"),
        ("79001", "Parthenay", "", "F. Petit"),
    ]
    assert found.entries[0].email == "mairie-79270@deux-sevres.test"
    assert "aucun fichier ne le donne pour « Nulle-Part »" in left_out(found)[5]


def test_arrondissements_come_from_a_list_that_knows_only_names() -> None:
    where = ("ou.csv", b"Commune;Arrondissement\nNiort;Niort\nSt-Maixent-l'Ecole;Niort\n")
    found = checked(read("elus-maires-2024.csv"), where)
    assert {one.code for one in found.entries if one.arrondissement == "Niort"} == {"79191", "79270"}


def test_the_order_of_the_files_means_nothing() -> None:
    files = [read(name) for name in ("elus-maires-2024.csv", "annuaire.csv", "v_commune.csv")]
    assert set(checked(*files).entries) == set(checked(*reversed(files)).entries)


def test_an_intercommunality_is_reached_and_lies_where_its_seat_does() -> None:
    found = checked(read("elus-epci.csv"), read("annuaire.csv"), read("v_commune.csv"))
    assert {(one.email, one.arrondissement) for one in found.entries} == {("val@epci.test", "Niort")}
    assert [one.office for one in found.entries] == ["president", "vice_president", "councillor"]


def test_one_person_with_several_mandates_is_one_person_and_namesakes_are_told() -> None:
    files = [read(name) for name in ("elus-maires-2024.csv", "elus-epci.csv", "elus-cd-2024.csv")]
    found = checked(*files)
    of = {
        name: {
            number for one, number in zip(found.entries, found.persons, strict=True) if one.last_name == name
        }
        for name in ("BRANDELIÈRE", "CHAUVIGNOT", "MORNAC")
    }
    assert {name: len(numbers) for name, numbers in of.items()} == {
        "BRANDELIÈRE": 1,  # mayor of Niort and, for Niort, president of the intercommunality
        "CHAUVIGNOT": 1,  # mayor and, as the only one of that name, councillor of the department
        "MORNAC": 2,  # mayor of one commune; the other sits for another commune
    }
    assert found.several_mandates() == 2
    assert [{one.last_name for one in group} for group in found.namesakes()] == [{"MORNAC"}]


def test_the_annuaire_alone_lists_authorities_without_names() -> None:
    found = checked(read("annuaire.csv"))
    assert {one.kind for one in found.entries} == {"commune", "intercommunality", "department"}
    assert {one.last_name for one in found.entries} == {""}
    communes = {one.name for one in found.entries if one.kind == "commune"}
    assert communes == {typeset(commune) for _, commune, *_ in MAYORS}
    assert found.readings[0].others == 1  # the gendarmerie
    assert found.elsewhere == 1  # Poitiers


def test_lines_of_other_departments_are_counted_not_imported() -> None:
    found = checked(by_hand("86194;Poitiers;;M.;A;B;Maire;;;", "79191;Niort;Niort;M.;A;C;Maire;;;"))
    assert (found.elsewhere, len(found.entries), found.left_out) == (1, 1, ())


def test_a_department_that_the_organisation_does_not_name_takes_every_line() -> None:
    found = check_files([by_hand("86194;Poitiers;;M.;A;B;Maire;;;")], Territory(), TODAY)
    assert [one.code for one in found.entries] == ["86194"]


def test_the_header_is_found_below_titles_and_not_by_its_place() -> None:
    header = find_header([["Liste"], ["à jour"], ["Code INSEE", "Nom", "Prénom"], ["79191", "A", "B"]])
    assert header is not None
    assert header.at == 2
    assert TERRITORY.arrondissements["792"] == "Niort"
