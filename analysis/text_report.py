"""The figures of ``python -m analysis`` as a page to read in French, for a stranger."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain

from analysis import display, notices
from analysis.axes import CommitmentResult, Reading, Result, Verdict
from analysis.rates import APPROXIMATE_POPULATION, CENSUS

NUMERIC = frozenset(range(1, 6))
"""Columns whose numbers stand under each other, to the right."""
WIDTH = 100
"""Of a line of text, in characters."""


def text_report(results: Sequence[CommitmentResult], reading: Reading) -> str:
    """What was found in one sentence, the table, how to read it, and what it does not measure."""
    methods = list(dict.fromkeys(line.method for line in lines_of(results) if line.method))
    return "\n".join(
        [
            _found(results, reading),
            "",
            *_table(results, reading, methods),
            *_chapter("Comment lire ce tableau", _reading_notes(reading)),
            *_chapter("Méthode", _method_notes(results, methods)),
            *_chapter("Ce que ces chiffres ne mesurent pas", notices.what_is_not_measured(audience(results))),
        ]
    )


def lines_of(results: Sequence[CommitmentResult]) -> Iterator[Result]:
    """Each commitment followed by its items."""
    for result in results:
        yield result
        yield from result.items


def audience(results: Sequence[CommitmentResult]) -> notices.Audience:
    """A known population is a list of people invited, as the officials are: non-response counts there."""
    lines = lines_of(results)
    known = any(
        line.interval.population or line.method == CENSUS or APPROXIMATE_POPULATION in line.flags
        for line in lines
    )
    return "elected_officials" if known else "users"


def _found(results: Sequence[CommitmentResult], reading: Reading) -> str:
    axes = sum(result.improvement_axis for result in results)
    read = display.counted(len(results), "engagement", "engagements")
    found = display.counted(axes, "axe", "axes") if axes else "aucun axe"
    return f"{read}, {found} d’amélioration (taux sous {display.share(reading.threshold)})."


def _table(results: Sequence[CommitmentResult], reading: Reading, methods: Sequence[str]) -> list[str]:
    rows = [_headings(reading), *(_cells(line, reading, methods) for line in lines_of(results))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [_aligned(row, widths) for row in rows]
    return [table[0], "  ".join("-" * width for width in widths), *table[1:]]


def _headings(reading: Reading) -> tuple[str, ...]:
    interval = f"Intervalle à {_confidence(reading)}"
    verdicts = ("Axe", "Ce que l’on peut dire", "Méthode")
    return ("Engagement et questions", "Favorables", "Base", "Base utile", "Taux", interval, *verdicts)


def _confidence(reading: Reading) -> str:
    return display.share(Fraction(str(reading.confidence)))


def _cells(line: Result, reading: Reading, methods: Sequence[str]) -> tuple[str, ...]:
    return (
        line.commitment if line.item is None else f"  {line.item}",
        str(line.favourable),
        str(line.base),
        display.effective_base(line.effective_base),
        display.rate(line.favourable, line.base, reading.threshold),
        display.bounds(line.interval),
        "oui" if line.improvement_axis else "non" if line.base else display.NOTHING,
        notices.VERDICTS[line.verdict] if line.verdict else display.NOTHING,
        f"({methods.index(line.method) + 1})" if line.method else display.NOTHING,
    )


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if number in NUMERIC else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()


def _chapter(title: str, sentences: Sequence[str]) -> Iterator[str]:
    yield from ("", title)
    for sentence in sentences:
        yield textwrap.fill(
            sentence, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )


def _reading_notes(reading: Reading) -> list[str]:
    few = notices.VERDICTS[Verdict.TOO_FEW]
    return [
        "Favorables\u00a0: les réponses satisfaites.",
        notices.ABSENCES,
        "Base utile\u00a0: la base, réduite quand une même personne répond à plusieurs questions, car ses "
        "réponses se ressemblent. Autant de réponses de personnes différentes donneraient la même précision.",
        "Taux\u00a0: les favorables divisés par la base.",
        f"Intervalle\u00a0: avec une confiance de {_confidence(reading)}, on y trouve le taux qu’auraient "
        "donné toutes les personnes concernées. Moins il y a de réponses, plus il est large.",
        notices.OFFICIAL_RULE,
        notices.SECOND_LINE,
        f"Avec moins de {reading.minimum_base} réponses utiles, ou de moins de {reading.minimum_base} "
        f"personnes, on dit seulement «\u202f{few}\u202f».",
        notices.ROUNDING,
    ]


def _method_notes(results: Sequence[CommitmentResult], methods: Sequence[str]) -> list[str]:
    flags = dict.fromkeys(chain.from_iterable(line.flags for line in lines_of(results)))
    return [
        *(
            f"({number}) {notices.method_label(method)}\u00a0: {notices.method_in_words(method)}."
            for number, method in enumerate(methods, start=1)
        ),
        *(
            f"{result.commitment}\u00a0: {notices.RULES[result.rule]}."
            for result in results
            if len(result.items) > 1
        ),
        *(notices.FLAGS[flag] for flag in flags),
    ]
