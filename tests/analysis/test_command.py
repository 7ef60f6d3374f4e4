"""``python -m analysis``: options, both forms of output, exit codes, speed of start."""

from __future__ import annotations

import itertools
import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.axes import JSON_FIELDS

COUNTS = (
    "commitment,item,favourable,base\naccueil,politesse,24,30\naccueil,clarte,96,120\ndelai,attente,60,100\n"
)


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    path = tmp_path / "nombres.csv"
    path.write_text(COUNTS, "utf-8")
    return path


def lines(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, object]]:
    assert main([*map(str, arguments), "--format", "json"]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_json_has_one_line_per_commitment_and_item_with_the_promised_keys(
    counts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = lines(capsys, counts)
    assert [(line["commitment"], line["item"]) for line in found] == [
        ("accueil", None),
        ("accueil", "politesse"),
        ("accueil", "clarte"),
        ("delai", None),
        ("delai", "attente"),
    ]
    assert {tuple(line) for line in found} == {JSON_FIELDS}
    assert found[3]["rate"] == 0.6
    assert found[3]["improvement_axis"] is True
    assert found[3]["verdict"] == "below"


def test_options_change_the_reading(counts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = lines(capsys, counts)[4]
    other = lines(
        capsys,
        counts,
        "--threshold",
        "1/2",
        "--confidence",
        "0.9",
        "--method",
        "jeffreys",
        "--minimum-base",
        "101",
    )[4]
    assert (other["method"], other["verdict"], other["improvement_axis"]) == ("jeffreys", "too_few", False)
    assert isinstance(other["low"], float)
    assert isinstance(plain["low"], float)
    assert other["low"] > plain["low"]


def test_a_threshold_may_be_decimal(counts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, counts, "--threshold", "0.75") == lines(capsys, counts, "--threshold", "3/4")


@pytest.mark.parametrize(
    "option, value",
    [
        ("--threshold", "75"),
        ("--threshold", "75%"),
        ("--threshold", "0,75"),
        ("--threshold", "3/0"),
        ("--confidence", "95"),
        ("--confidence", "nan"),
        ("--confidence", "x"),
        ("--minimum-base", "-1"),
        ("--minimum-base", "12.5"),
        ("--method", "wald"),
    ],
)
def test_a_bad_option_ends_with_exit_code_2_and_an_example(
    counts: Path, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([str(counts), f"{option}={value}"])
    assert end.value.code == 2
    assert option in capsys.readouterr().err


def test_bad_rows_end_with_exit_code_2_and_nothing_on_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "faux.csv"
    path.write_text("commitment,item,favourable,base\na,b,78%,100\nc,d,3,2\n", "utf-8")
    assert main([str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert [f"ligne {line}\u00a0:" in said.err for line in (2, 3)] == [True, True]


def test_a_missing_file_ends_with_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "absent.csv")]) == 2
    assert "absent.csv" in capsys.readouterr().err


def unwrapped(text: str) -> str:
    """A text whose sentences go over several lines, each on one."""
    return re.sub(r"\n {2}(?=\S)", " ", text)


def test_the_text_says_what_was_found_and_explains_every_column_in_plain_words(
    counts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(counts), "--confidence", "0.9", "--minimum-base", "40"])
    out = unwrapped(capsys.readouterr().out)
    assert out.startswith("2 engagements, 1 axe d’amélioration (taux sous 75\u00a0%).\n")
    for words in (
        "Intervalle à 90\u00a0%",
        "La base compte les réponses exprimées.",
        "Base utile\u00a0: la base, réduite quand une même personne",
        "Taux\u00a0: les favorables divisés par la base.",
        "taux strictement inférieur au seuil",
        "Avec moins de 40 réponses utiles, ou de moins de 40 personnes",
        "arrondies vers l’extérieur",
        "(2) Wilson\u00a0: intervalle du score de Wilson.",
        "Ce que ces chiffres ne mesurent pas",
    ):
        assert words in out


def test_the_columns_of_the_text_stand_under_each_other(
    counts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(counts)])
    heading, rule, *rows = capsys.readouterr().out.splitlines()[2:9]
    columns = [(found.start(), found.end()) for found in re.finditer("-+", rule)]
    assert len(columns) == 9
    assert [heading[start:end].strip() for start, end in columns[1:5]] == [
        "Favorables",
        "Base",
        "Base utile",
        "Taux",
    ]
    for row in rows:
        for (_, end), (start, _) in itertools.pairwise(columns):
            assert row[end:start].strip() == ""
        assert all(row[end - 1] != " " for _, end in columns[1:6])


def test_no_line_of_explanation_is_longer_than_a_window(
    counts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(counts)])
    explained = capsys.readouterr().out.partition("Comment lire")[2].splitlines()
    assert max(map(len, explained)) <= 100


def test_s5_every_output_says_what_it_does_not_measure(
    counts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(counts)])
    text = capsys.readouterr()
    main([str(counts), "--format", "json"])
    machine = capsys.readouterr()
    for said in (text.out, machine.err):
        assert "ni les refus, ni le choix des personnes interrogées" in unwrapped(said)


def test_s5_with_a_known_population_non_response_is_named_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "elus.csv"
    path.write_text("commitment,item,favourable,base,population\nelus,a,140,180,256\n", "utf-8")
    main([str(path)])
    assert "non-réponse" in capsys.readouterr().out


def test_the_text_prints_one_decimal_and_bounds_outward(
    counts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(counts)])
    out = capsys.readouterr().out
    assert "80,0\u00a0%" in out
    assert "62,6\u00a0–\u00a090,5\u00a0%" in out
    assert "Indépendance supposée" in out


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_that_has_seen_enough_ends_the_command_without_a_word(tmp_path: Path, form: str) -> None:
    path = tmp_path / "longue.csv"
    rows = (f"engagement_{n},question,24,30" for n in range(3000))
    path.write_text("\n".join(["commitment,item,favourable,base", *rows]), "utf-8")
    command = [sys.executable, "-m", "analysis", str(path), "--format", form]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert (said, process.returncode) == ("", 0)


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_s3_scipy_stats_and_the_definitions_are_never_loaded() -> None:
    loaded = run("import analysis.__main__, sys; print(*sys.modules)").split()
    assert "scipy.special" in loaded
    assert not {"scipy.stats", "pydantic", "form_definitions"} & set(loaded)


def test_the_command_starts_within_600_ms_of_processor_time(counts: Path) -> None:
    durations = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "analysis", counts], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        durations.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(durations) <= 0.6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "il manque FICHIER.csv."),
        (["x.csv", "--colour"], "argument inconnu\u00a0: --colour."),
        (
            ["x.csv", "--method", "wald"],
            "wald ne convient pas à --method\u00a0: choisissez parmi",
        ),
        (["x.csv", "--threshold"], "il manque la valeur de --threshold."),
        (["x.csv", "--threshold", "7"], "--threshold\u00a0: «\u202f7\u202f»\u00a0: écrivez une part de 1,"),
    ],
)
def test_a_misuse_is_told_in_french_with_exit_code_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("Utilisation\u00a0: python -m analysis ")
    assert f"python -m analysis\u00a0: {sentence}" in told


def test_the_help_of_the_command_is_french(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    page = capsys.readouterr().out
    for english in ("usage", "show this", "arguments", "optional"):
        assert english not in page


def test_a_file_that_is_not_there_is_told_in_french(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "rien.csv")]) == 2
    assert capsys.readouterr().err.endswith("rien.csv\u00a0: fichier introuvable.\n")
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.endswith("\u00a0: c’est un dossier, un fichier est attendu.\n")
