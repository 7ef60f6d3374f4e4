"""« Rapprochement »: tablet by tablet, how many interviews were saved, which are missing. Floor 5."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from survey_app import access
from survey_app.access import ASSISTANT, DIRECTOR, REFERENT, REVOKED, TECHNICIAN
from survey_app.audit import act
from survey_app.database import db
from survey_app.exports.csv_writing import FRENCH, CsvCell, write_csv
from survey_app.models import Device, Wave
from survey_app.responses.chains import Chain, GapError, chains, devices_of, explain
from survey_app.staff.pages import actor, moment, refused, site_name, wave_or_404

blueprint = Blueprint("staff_reconciliation", __name__, url_prefix="/gestion/editions")
LONGEST_REASON: Final = 1_000
HEADINGS: Final = (
    "Tablette",
    "Site",
    "État",
    "Passés",
    "Reçus",
    "Manquants",
    "Manquants sans explication",
    "Numéros manquants",
    "Explications",
    "Numéros venus de deux tablettes",
    "Encore sur la tablette",
    "Dernier contact",
)


@dataclass(frozen=True)
class Line:
    """One tablet and its numbers in one wave."""

    device: Device
    chain: Chain

    def __str__(self) -> str:
        """« 212 passés, 212 reçus, 0 manquant »."""
        told = (
            (self.chain.taken, "passé"),
            (self.chain.received, "reçu"),
            (self.chain.missing, "manquant"),
        )
        return ", ".join(f"{number} {word}{'s' if number > 1 else ''}" for number, word in told)


def lines_of(wave: Wave) -> list[Line]:
    """The tablets of a wave, those with something unexplained first."""
    session = db.session()
    devices = devices_of(session, wave)
    known = chains(session, devices, wave_id=wave.id)
    lines = [Line(device, known[device.id]) for device in devices]
    return sorted(lines, key=lambda line: not (line.chain.unexplained or line.chain.forks))


def _page(wave: Wave) -> dict[str, object]:
    lines = lines_of(wave)
    silent = [line for line in lines if not (line.chain.taken or line.chain.forks)]
    names = ("taken", "received", "missing")
    return {
        "wave": wave,
        "lines": [line for line in lines if line not in silent],
        "silent": silent,
        "total": {name: sum(getattr(line.chain, name) for line in lines) for name in names},
        "unexplained": any(line.chain.unexplained for line in lines),
    }


@blueprint.get("/<wave_id>/rapprochement")
@access.roles(ASSISTANT, DIRECTOR, TECHNICIAN)
def show(wave_id: str) -> ResponseReturnValue:
    """Which numbers of which tablet never arrived, and what people say about it."""
    return render_template("staff/reconciliation.html", **_page(wave_or_404(wave_id)))


@blueprint.post("/<wave_id>/rapprochement")
@access.roles(REFERENT)
def explain_gap(wave_id: str) -> ResponseReturnValue:
    """The referent answers for numbers that will never arrive."""
    wave = wave_or_404(wave_id)
    first, last = (request.form.get(name, 0, type=int) for name in ("first", "last"))
    reason = request.form.get("reason", "").strip()[:LONGEST_REASON]
    try:
        with act() as transaction:
            device = transaction.get(Device, request.form.get("device", ""))
            if device is None:
                abort(404)
            explain(transaction, device, first, last, reason, by=actor())
    except GapError as fault:
        return refused("staff/reconciliation.html", str(fault), **_page(wave))
    flash("L’explication est enregistrée, avec votre nom et la date.")
    return redirect(url_for("staff_reconciliation.show", wave_id=wave.id), 303)


@blueprint.get("/<wave_id>/rapprochement.csv")
@access.roles(ASSISTANT, DIRECTOR, TECHNICIAN)
def download(wave_id: str) -> Response:
    """The same as a file, for the record of the edition."""
    wave = wave_or_404(wave_id)
    stream = io.BytesIO()
    write_csv(stream, FRENCH, HEADINGS, _rows(lines_of(wave)))
    answer = Response(stream.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=f"rapprochement-{wave.id}.csv")
    return answer


def _rows(lines: Sequence[Line]) -> Iterator[Sequence[CsvCell]]:
    for line in lines:
        device, chain = line.device, line.chain
        yield (
            device.name,
            site_name(device.site),
            "révoquée" if device.state == REVOKED else "en service",
            chain.taken,
            chain.received,
            chain.missing,
            sum(gap.size for gap in chain.unexplained),
            ", ".join(map(str, chain.gaps)),
            " / ".join(f"{gap}\u00a0: {gap.explanation.reason}" for gap in chain.gaps if gap.explanation),
            ", ".join(str(fork.seq) for fork in chain.forks),
            device.waiting,
            moment(device.last_contact_at),
        )
