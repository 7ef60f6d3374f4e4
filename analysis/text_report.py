"""The figures of ``python -m analysis`` as a table to read, in French."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain

from analysis import display, notices
from analysis.axes import CommitmentResult, Reading, Result
from analysis.rates import APPROXIMATE_POPULATION, CENSUS

HEADINGS = (
    "Engagement",
    "Favorables",
    "Base",
    "Base utile",
    "Taux",
    "Intervalle",
    "Axe",
    "Ce que l’on peut dire",
    "Méthode",
)
NUMERIC = frozenset(HEADINGS[1:6])


def text_report(results: Sequence[CommitmentResult], reading: Reading) -> str:
    """One line per commitment, its items indented under it, then what the figures mean."""
    rows = [HEADINGS, *(_cells(line, reading.threshold) for line in lines_of(results))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [_aligned(row, widths) for row in rows]
    table.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*table, "", *_explanations(results, reading)])


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


def _cells(line: Result, threshold: Fraction) -> tuple[str, ...]:
    return (
        line.commitment if line.item is None else f"  {line.item}",
        str(line.favourable),
        str(line.base),
        display.effective_base(line.effective_base),
        display.rate(line.favourable, line.base, threshold),
        display.bounds(line.interval),
        "oui" if line.improvement_axis else "non" if line.base else display.NOTHING,
        notices.VERDICTS[line.verdict] if line.verdict else display.NOTHING,
        notices.method_label(line.method) if line.method else display.NOTHING,
    )


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if heading in NUMERIC else cell.ljust(width)
        for heading, cell, width in zip(HEADINGS, row, widths, strict=True)
    )
    return "  ".join(cells).rstrip()


def _explanations(results: Sequence[CommitmentResult], reading: Reading) -> Iterator[str]:
    lines = list(lines_of(results))
    yield (
        f"Seuil\u00a0: {display.share(reading.threshold)}. Intervalles à "
        f"{display.share(Fraction(str(reading.confidence)))}. Base minimale\u00a0: {reading.minimum_base}."
    )
    for result in results:
        if len(result.items) > 1:
            yield f"{result.commitment}\u00a0: {notices.RULES[result.rule]}."
    for method in dict.fromkeys(line.method for line in lines if line.method):
        yield f"{notices.method_label(method)}\u00a0: {notices.method_in_words(method)}."
    for flag in dict.fromkeys(chain.from_iterable(line.flags for line in lines)):
        yield notices.FLAGS[flag]
    yield from notices.method_notes(audience(results))
