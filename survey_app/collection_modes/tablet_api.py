"""What a tablet says to the server: enrolment, records, heartbeat. Floor 5.

A record is taken whenever its frame can be read: a closed wave, an old questionnaire or a revoked tablet is
flagged, never refused. Every call but the enrolment is signed with the device's secret, and its bytes are
those that were announced: see ``access.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, cast

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from survey_app import access, heartbeats, server_facts, unknown_tablets
from survey_app.database import write_transaction
from survey_app.definitions import organisation
from survey_app.device_models import Device
from survey_app.enrolment import redeem
from survey_app.rate_limits import at_most
from survey_app.responses import inbox, strict_json
from survey_app.responses.chains import missing_numbers
from survey_app.responses.credentials import answer_mac, device_secret
from survey_app.responses.unidentified import UNIDENTIFIED
from survey_app.settings import Settings

blueprint = Blueprint("tablet_api", __name__, url_prefix="/api/v1")

CONFLICT: Final = 409
UNAUTHORIZED: Final = 401
LONGEST_BATCH: Final = 1_000


def settings() -> Settings:
    """The settings of the running application."""
    return cast(Settings, current_app.extensions["survey_settings"])


@blueprint.put("/records/<uuid:record_id>")
@access.device
def put_record(record_id: object) -> tuple[Response, int]:
    """Store one record; the receipt names its id and hash. 409 with a receipt: other bytes were first."""
    sender = _met_sender()
    try:
        receipt = inbox.accept(
            request.get_data(),
            source="tablet",
            credential=sender.credential,
            expected_id=str(record_id),
        )
    except inbox.UnreadableEnvelope:
        abort(400)
    return jsonify(receipt.as_json(sender.secret)), CONFLICT if receipt.conflict else 200


@blueprint.post("/records")
@access.device
def post_records() -> Response:
    """Store many records in one commit; the fate of each in order: a bad one never blocks the others."""
    sender = _met_sender()
    given = read_json(request.get_data()).get("records")
    if (
        not isinstance(given, list)
        or len(given) > LONGEST_BATCH
        or not all(isinstance(one, str) for one in given)
    ):
        abort(400)
    fates = inbox.accept_all([one.encode() for one in given], source="tablet", credential=sender.credential)
    return jsonify({"receipts": [_fate(fate, sender.secret) for fate in fates]})


def _met_sender() -> access.Sender:
    """Who signed; a tablet that the database lost gets its receipts too, and is met by that."""
    sender = access.sender()
    if not sender.met:
        unknown_tablets.meet(str(sender.credential.device_id))
    return sender


def _fate(fate: inbox.Receipt | inbox.UnreadableEnvelope, secret: bytes) -> dict[str, Any]:
    return fate.as_json(secret) if isinstance(fate, inbox.Receipt) else {"error": "unreadable"}


@blueprint.post("/devices/enrol")
@access.public
@at_most("10 per minute; 60 per hour")
def enrol() -> Response:
    """Exchange a one-time code for an identity and its secret, which is in this answer and nowhere else."""
    code = read_json(request.get_data()).get("code")
    device = redeem(code) if isinstance(code, str) else None
    if device is None:
        abort(400)
    return jsonify(
        {
            "device": device.id,
            "secret": device_secret(settings().device_master_key, device.id).hex(),
            "name": device.name,
            "site": device.site,
            "site_name": site_name(device.site),
            "slugs": device.slugs,
            "languages": device.languages,
            **_agent_settings(device),
        }
    )


@blueprint.post("/devices/heartbeat")
@access.device
def heartbeat() -> ResponseReturnValue:
    """Note that the tablet lives and what waits on it; tell it what is missing, and whether it may go on.

    The answer is signed: it lets copies go and empties tablets. Older applications do not look at that.
    401 for a tablet that the database lost: it is to be enrolled again, or named by the referent.
    """
    sender, asked = _met_sender(), request.get_data()
    credential, news = sender.credential, read_json(asked)
    now = datetime.now(tz=UTC)
    with write_transaction() as transaction:
        device = transaction.get(Device, credential.device_id)
        if device is None:
            abort(401)
        heartbeats.remember(transaction, device, news, now)
        if device.state == UNIDENTIFIED:
            return jsonify({"unknown": True}), UNAUTHORIZED
        up_to = heartbeats.whole(news.get("high_seq"))
        answer = {
            "now": now.isoformat(),
            "revoked": credential.revoked,
            "watermark": server_facts.read(transaction, server_facts.BACKUP_WATERMARK),
            "missing": missing_numbers(transaction, device, up_to) if up_to else [],
            **_agent_settings(device),
        }
    bundle = current_app.extensions["survey_tablet_bundle"]()
    response = jsonify({**answer, "epoch": inbox.epoch(), "bundle": bundle})
    response.headers["X-Signature"] = answer_mac(sender.secret, asked, response.get_data())
    return response


def _agent_settings(device: Device) -> dict[str, Any]:
    """What the tablet needs for the agent's own acts, also without a network."""
    return {"pin": device.pin, "idle_seconds": settings().tablet_idle_seconds}


def read_json(raw: bytes) -> dict[str, Any]:
    """The JSON object in these bytes; 400 for anything else."""
    try:
        content = strict_json.loads(raw)
    except strict_json.StrictJSONError:
        abort(400)
    if not isinstance(content, dict):
        abort(400)
    return content


def site_name(code: str) -> str:
    """The name of a site as the organisation writes it; its code where the file no longer has it."""
    return organisation().site_name(code)
