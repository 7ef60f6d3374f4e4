"""Figures from a CSV: both kinds, and what bad rows are told."""

from __future__ import annotations

import pytest

from analysis.axes import CommitmentResult, Reading
from analysis.csv_faults import CsvError
from analysis.csv_input import results_from_csv

COUNTS = "commitment,item,favourable,base\n"
ANSWERS = "respondent,commitment,item,favourable\n"


def read(text: str | bytes) -> list[CommitmentResult]:
    return results_from_csv(text if isinstance(text, bytes) else text.encode(), Reading())


def faults(text: str | bytes) -> list[str]:
    with pytest.raises(CsvError) as error:
        read(text)
    return [str(fault) for fault in error.value.faults]


def test_counts_give_one_result_per_commitment_in_the_order_of_the_file() -> None:
    results = read(COUNTS + "delai,attente,24,30\naccueil,politesse,96,120\naccueil,clarte,40,50\n")
    assert [(result.commitment, result.favourable, result.base) for result in results] == [
        ("delai", 24, 30),
        ("accueil", 136, 170),
    ]
    assert [item.item for item in results[1].items] == ["politesse", "clarte"]


def test_s2_counts_of_several_items_say_that_independence_was_assumed() -> None:
    (result,) = read(COUNTS + "accueil,politesse,96,120\naccueil,clarte,40,50\n")
    assert result.method == "wilson, independence assumed"
    assert result.effective_base == 170
    assert {item.method for item in result.items} == {"wilson"}


def test_s2_answers_are_clustered_by_respondent() -> None:
    rows = [
        f"{person},accueil,q{item},{int(person <= 75)}\n" for person in range(1, 101) for item in range(4)
    ]
    (result,) = read(ANSWERS + "".join(rows))
    assert (result.base, result.method) == (400, "wilson")
    assert result.effective_base is not None
    assert result.effective_base < 100.5
    assert {item.effective_base for item in result.items} == {100}


def test_s1_an_empty_answer_is_no_answer() -> None:
    (result,) = read(ANSWERS + "1,accueil,q1,1\n1,accueil,q2,\n2,accueil,q1,0\n2,accueil,q2,\n")
    assert (result.base, [item.base for item in result.items]) == (2, [2, 0])
    assert result.respondents == 2


def test_s1_a_base_of_0_is_a_line_without_rate() -> None:
    (result,) = read(COUNTS + "accueil,politesse,0,0\n")
    assert result.as_json() == {
        "commitment": "accueil",
        "item": None,
        "favourable": 0,
        "base": 0,
        "effective_base": 0.0,
        "rate": None,
        "low": None,
        "high": None,
        "method": None,
        "improvement_axis": False,
        "verdict": None,
    }


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_byte_order_mark_and_line_ends_make_no_difference(
    separator: str, mark: str, end: str
) -> None:
    text = mark + (COUNTS + "accueil,politesse,24,30\n").replace(",", separator).replace("\n", end)
    assert read(text) == read(COUNTS + "accueil,politesse,24,30\n")


def test_columns_come_in_any_order_and_blank_lines_are_skipped() -> None:
    text = "Base, Item ,favourable,commitment\n\n30,politesse,24,accueil\n,,,\n"
    assert read(text) == read(COUNTS + "accueil,politesse,24,30\n")


def test_a_quoted_name_may_hold_separators_and_line_ends() -> None:
    results = read(
        COUNTS + '"accueil, tous","Bonjour\nà tous",24,30\naccueil,politesse,1,x\n'.replace("x", "2")
    )
    assert results[0].commitment == "accueil, tous"


def test_s3_a_population_serves_all_lines_of_its_commitment() -> None:
    text = (
        "commitment,item,favourable,base,population\nelus,a,140,180,256\nelus,b,150,180,\nautre,c,140,180,\n"
    )
    elus, autre = read(text)
    assert [item.method for item in elus.items] == ["hypergeometric", "hypergeometric"]
    assert elus.method == "wilson, independence assumed, approximate population"
    assert autre.method == "wilson"


def test_s2_the_rule_is_read_from_the_file() -> None:
    text = "commitment,item,favourable,base,rule\na,x,290,300,every_item\na,y,200,300,\n"
    (result,) = read(text)
    assert (result.rule, result.improvement_axis, result.low) == ("every_item", True, None)


@pytest.mark.parametrize("header", [COUNTS, ANSWERS, "\n" + COUNTS + "\n"])
def test_a_header_alone_is_refused(header: str) -> None:
    (message,) = faults(header)
    assert "aucune ligne de chiffres" in message


def test_a_wrong_quote_hides_no_other_bad_row() -> None:
    told = faults(COUNTS + 'a,b,3,2\nc,"d,1,2\na,c,1,2\na,d,x,2\ne,"f"g,1,2\na,c,1,2\n')
    lines = ["ligne 2", "ligne 3", "ligne 5", "ligne 6", "ligne 7"]
    assert [message.partition("\u00a0:")[0] for message in told] == lines
    assert ["guillemet" in message for message in told] == [False, True, False, True, False]


@pytest.mark.parametrize("favourable", [0, 30_000_000, 45_000_000])
def test_s3_numbers_no_survey_has_get_the_approximate_interval_at_once(favourable: int) -> None:
    """The exact interval of forty-five million answers would take gigabytes."""
    header = COUNTS.strip() + ",population\n"
    (result,) = read(header + f"a,b,{favourable},45000000,70000000\n")
    assert result.method == "wilson, approximate population"
    assert "approximate_population" in result.flags
    assert result.low is not None


def test_all_bad_rows_are_named_at_once_with_line_and_remedy() -> None:
    told = faults(
        "commitment;item;favourable;base\n"
        "accueil;politesse;78%;100\n"
        "accueil;clarte;12;10\n"
        "accueil;;1;2\n"
        "delai;attente;0,78;100\n"
        "delai;ouverture;800;1 200\n"
        "delai;ouverture;-3;\n"
        "delai;calme;1\n"
        "horaires;jours;3;4\n"
        "horaires;jours;3;4\n"
        "prix;cout;1;99999999999999\n"
    )
    expected = [
        ("ligne 2", "pourcentage"),
        ("ligne 3", "12 réponses favorables pour une base de 10"),
        ("ligne 4", "item est vide"),
        ("ligne 5", "nombre à virgule"),
        ("ligne 6", "séparateur de milliers"),
        ("ligne 7", "doublon"),
        ("ligne 8", "3 cases au lieu de 4"),
        ("ligne 10", "la ligne 9"),
        ("ligne 11", "100000000"),
    ]
    assert len(told) == len(expected)
    for message, (line, words) in zip(told, expected, strict=True):
        assert message.startswith(f"{line}\u00a0:")
        assert words in message


@pytest.mark.parametrize(
    "value, words",
    [
        ("2", "écrivez 1"),
        ("oui", "écrivez 1"),
        ("0.5", "écrivez 1"),
        ("1.0", "écrivez 1"),
    ],
)
def test_an_answer_is_1_0_or_empty(value: str, words: str) -> None:
    (message,) = faults(ANSWERS + f"1,accueil,q,{value}\n")
    assert message.startswith("ligne 2")
    assert words in message


def test_the_same_answer_twice_is_refused() -> None:
    (message,) = faults(ANSWERS + "1,accueil,q,1\n2,accueil,q,0\n1,accueil,q,\n")
    assert message.startswith("ligne 4")
    assert "la ligne 2 donne déjà" in message


def test_s3_a_population_smaller_than_the_respondents_names_both() -> None:
    (counts,) = faults("commitment,item,favourable,base,population\nelus,a,140,180,150\n")
    assert "150" in counts
    assert "180" in counts
    header = "respondent,commitment,item,favourable,population\n"
    (answers,) = faults(header + "1,elus,a,1,1\n2,elus,a,0,1\n")
    assert "population de 1" in answers
    assert "2 personnes" in answers


def test_one_commitment_has_one_population_and_one_rule() -> None:
    text = (
        "commitment,item,favourable,base,population,rule\na,x,1,2,9,pooled\na,y,1,2,8,\na,z,1,2,,every_item\n"
    )
    told = faults(text + "b,x,1,2,,mean\nb,y,1,2,0,\n")
    assert [message[:7] for message in told] == ["ligne 3", "ligne 4", "ligne 5", "ligne 6"]


@pytest.mark.parametrize(
    "header, words",
    [
        ("commitment,item,favourable\n", "colonne manquante\u00a0: base"),
        ("commitment,item,favourable,base,populaton\n", "«\u202fpopulation\u202f»"),
        ("respondent,commitment,item,favourable,base\n", "ne vont pas ensemble"),
        ("commitment,item,favourable,base,base\n", "deux fois"),
        ("engagement,question,favorables,base\n", "L’en-tête est commitment,item,favourable,base"),
        ("", "vide"),
        ("\n\n", "vide"),
    ],
)
def test_a_header_that_is_neither_kind_is_explained(header: str, words: str) -> None:
    assert any(words in message for message in faults(header))


@pytest.mark.parametrize(
    "data, line, words",
    [
        (COUNTS.encode() + "accueil,qualité,1,2\n".encode("latin-1"), "ligne 2", "UTF-8"),
        (COUNTS.encode("utf-16"), "ligne 1", "UTF-16"),
        (COUNTS.encode() + b"a,b,1,2\nc,d\0,1,2\n", "ligne 3", "nul"),
        (COUNTS.encode() + b'a,b,1,2\nc,"d,1,2\n', "ligne 3", "guillemet"),
        (COUNTS.encode() + "a,b,٣,4\n".encode(), "ligne 2", "nombre entier"),
    ],
)
def test_a_file_that_is_no_such_text_is_refused_by_line(data: bytes, line: str, words: str) -> None:
    (message,) = faults(data)
    assert message.startswith(line)
    assert words in message


@pytest.mark.parametrize(
    "content, what",
    [
        (b"PK\x03\x04...", "un classeur Excel"),
        (b'\xef\xbb\xbf {"wave": 1}', "un fichier JSON"),
        (b"\n<!doctype html>", "une page web"),
        (b"%PDF-1.7 \xff", "un PDF"),
    ],
)
def test_a_file_that_is_no_csv_is_called_by_its_name(content: bytes, what: str) -> None:
    with pytest.raises(CsvError) as told:
        results_from_csv(content, Reading())
    (fault,) = told.value.faults
    assert f"c’est {what}" in fault.message
    assert "Réponses pour recalculer" in fault.message
