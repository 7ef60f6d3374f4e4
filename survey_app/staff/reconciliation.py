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
from survey_app.device_models import Device
from survey_app.exports.csv_writing import FRENCH, CsvCell, write_csv
from survey_app.models import Wave
from survey_app.responses.explanations import (
    SHORTEST_REASON,
    ExplanationError,
    explain_doubt,
    explain_gap,
)
from survey_app.responses.tablet_accounts import FORKED, SILENT, TabletAccount, accounts_of
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
    "Sans nouvelles depuis la fin",
)


@dataclass(frozen=True)
class Doubt:
    """What makes a whole tablet doubtful, in words."""

    short: str
    sentence: str
    question: str


DOUBTS: Final = {
    SILENT: Doubt(
        "sans nouvelles",
        "Personne n’a eu de ses nouvelles depuis la fin de l’édition\u00a0: elle peut encore porter des "
        "questionnaires. Allumez-la et reliez-la au réseau.",
        "Pourquoi ne donnera-t-elle plus de nouvelles\u202f?",
    ),
    FORKED: Doubt(
        "deux tablettes, une inscription",
        "Tout est gardé et compté\u202f; révoquez cette tablette et inscrivez chacune à nouveau.",
        "Chacune des deux a-t-elle tout envoyé\u202f? Comment le savez-vous\u202f?",
    ),
}


def counted_of(account: TabletAccount) -> str:
    """« 212 passés, 212 reçus, 0 manquant »."""
    chain = account.chain
    told = ((chain.taken, "passé"), (chain.received, "reçu"), (chain.missing, "manquant"))
    return ", ".join(f"{number} {word}{'s' if number > 1 else ''}" for number, word in told)


def _worst_first(wave: Wave) -> list[TabletAccount]:
    return sorted(accounts_of(db.session(), wave), key=lambda account: account.complete)


def _page(wave: Wave) -> dict[str, object]:
    accounts = _worst_first(wave)
    unused = [one for one in accounts if not (one.chain.taken or one.doubts)]
    names = ("taken", "received", "missing")
    return {
        "wave": wave,
        "accounts": [one for one in accounts if one not in unused],
        "unused": unused,
        "counted": counted_of,
        "doubts": DOUBTS,
        "total": {name: sum(getattr(one.chain, name) for one in accounts) for name in names},
        "explained": _how_explained(accounts),
        "shortest": SHORTEST_REASON,
        "incomplete": not all(one.complete for one in accounts),
    }


def _how_explained(accounts: Sequence[TabletAccount]) -> str:
    """What is said of all that is missing, taken together."""
    answered = {gap.explanation is not None for one in accounts for gap in one.chain.gaps}
    if answered == {True, False}:
        return "dont certains sans explication"
    return "tous expliqués" if answered == {True} else "aucun n’est expliqué"


@blueprint.get("/<wave_id>/rapprochement")
@access.roles(ASSISTANT, DIRECTOR, TECHNICIAN)
def show(wave_id: str) -> ResponseReturnValue:
    """Which numbers of which tablet never arrived, and what people say about it."""
    return render_template("staff/reconciliation.html", **_page(wave_or_404(wave_id)))


@blueprint.post("/<wave_id>/rapprochement")
@access.roles(REFERENT)
def explain_what_is_missing(wave_id: str) -> ResponseReturnValue:
    """The referent answers for numbers that will never arrive, or for a whole tablet."""
    wave, sent = wave_or_404(wave_id), request.form
    reason = sent.get("reason", "").strip()[:LONGEST_REASON]
    try:
        with act() as transaction:
            device = transaction.get(Device, sent.get("device", ""))
            if device is None:
                abort(404)
            if kind := sent.get("kind"):
                explain_doubt(transaction, transaction.merge(wave), device, kind, reason, by=actor())
            else:
                first, last = (sent.get(name, 0, type=int) for name in ("first", "last"))
                sure = "confirmed" in sent
                explain_gap(transaction, device, first, last, reason, by=actor(), confirmed=sure)
    except ExplanationError as fault:
        return refused("staff/reconciliation.html", str(fault), **_page(wave))
    flash("L’explication est enregistrée, avec votre nom et la date.")
    return redirect(url_for("staff_reconciliation.show", wave_id=wave.id), 303)


@blueprint.get("/<wave_id>/rapprochement.csv")
@access.roles(ASSISTANT, DIRECTOR, TECHNICIAN)
def download(wave_id: str) -> Response:
    """The same as a file, for the record of the edition."""
    wave = wave_or_404(wave_id)
    stream = io.BytesIO()
    write_csv(stream, FRENCH, HEADINGS, _rows(_worst_first(wave)))
    answer = Response(stream.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=f"rapprochement-{wave.id}.csv")
    return answer


def _rows(accounts: Sequence[TabletAccount]) -> Iterator[Sequence[CsvCell]]:
    for account in accounts:
        device, chain = account.device, account.chain
        said = [(str(gap), gap.explanation.reason) for gap in chain.gaps if gap.explanation]
        said += [(DOUBTS[kind].short, one.reason) for kind, one in account.explained.items()]
        yield (
            device.name,
            site_name(device.site),
            "révoquée" if device.state == REVOKED else "en service",
            chain.taken,
            chain.received,
            chain.missing,
            sum(gap.size for gap in chain.unexplained),
            ", ".join(map(str, chain.gaps)),
            " / ".join(f"{what}\u00a0: {reason}" for what, reason in said),
            ", ".join(str(fork.seq) for fork in chain.forks),
            chain.waiting,
            moment(device.last_contact_at),
            "oui" if account.silent else "non",
        )
