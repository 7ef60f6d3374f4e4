"""How many people declined on a tablet, per site and day."""

from __future__ import annotations

from typing import BinaryIO

from survey_app.exports.csv_writing import FRENCH, write_csv
from survey_app.exports.source import ReportSource

HEADINGS = ("Jour", "Site (code)", "Site", "Refus")


def write_refusals(source: ReportSource, stream: BinaryIO) -> None:
    """Write one line per site and day on which somebody declined, the oldest first."""
    ordered = sorted((day, site, number) for (site, day), number in source.refusals.items())
    rows = ((day, site, source.wave.sites.get(site, site), number) for day, site, number in ordered)
    write_csv(stream, FRENCH, HEADINGS, rows)
