"""Sealed records: answers open with the key they were sealed for, in the frame they were sealed in."""

from __future__ import annotations

import base64
import datetime as dt
import json
import subprocess
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from survey_app.responses import decided, doctor, intake, unjudged
from survey_app.responses.counts import fieldwork
from survey_app.responses.envelope import (
    Envelope,
    UnreadableEnvelope,
    open_body,
    read_envelope,
    sealed,
    write_envelope,
)
from survey_app.responses.record_keys import KeyFileError, KeyMissing, RecordKeys, held
from survey_app.waves import seal_wave
from tests.node_process import CLIENT, node
from tests.survey_app import records
from tests.survey_app.records import ANSWERS, NOW, WAVE, a_record, a_sealed_record, take

VECTORS = json.loads((Path(__file__).parents[1] / "conformance" / "sealing.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in VECTORS["cases"]}
FIRST = next(iter(CASES.values()))
OTHER_FRAME = {
    "id": str(uuid.UUID(int=9)),
    "revision": 2,
    "device": str(uuid.UUID(int=8)),
    "seq": 2,
    "prev": "d" * 64,
    "wave": "usagers-2027",
    "questionnaire_digest": "e" * 64,
    "bundle_digest": "f" * 64,
}
LATER = NOW + dt.timedelta(days=2)


def keep_vector_key(folder: Path) -> None:
    """Write the private key of the shared cases into a folder of keys."""
    jwk = VECTORS["private_key"]
    number = int.from_bytes(base64.urlsafe_b64decode(jwk["d"] + "="), "big")
    pem = ec.derive_private_key(number, ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir(exist_ok=True)
    (folder / f"20260101T000000Z-{VECTORS['key']['key_id']}.pem").write_bytes(pem)


@pytest.fixture
def vector_keys(tmp_path: Path) -> RecordKeys:
    """The pair of the shared cases, and a newer one."""
    keep_vector_key(tmp_path)
    keys = RecordKeys(tmp_path)
    keys.make(NOW)
    return keys


def tampered(raw: str, name: str, value: object) -> Envelope:
    return read_envelope(json.dumps({**json.loads(raw), name: value}).encode())


@pytest.mark.parametrize("side", ["python", "typescript"])
@pytest.mark.parametrize("name", CASES)
def test_what_either_side_sealed_opens_here(vector_keys: RecordKeys, name: str, side: str) -> None:
    envelope = read_envelope(CASES[name][f"sealed_by_{side}"].encode())
    body = open_body(envelope, vector_keys)
    assert body.answers == CASES[name]["interview"]["body"]["answers"]
    assert body.flags == ()
    assert envelope.binding.decode().split("\n") == CASES[name]["binding"]


def test_the_tablet_seals_now_what_this_server_opens(tmp_path: Path) -> None:
    keys = RecordKeys(tmp_path)
    keys.make(NOW)
    interview = {**FIRST["interview"], "sealingKey": keys.current().as_json()}
    answers: list[dict[str, Any]] = [{}, {"texte": "é\u202f! 🙂 \x00 \ud800"}, {"long": "x" * 100_000}]
    cases = [
        {"interview": {**interview, "body": {**interview["body"], "answers": one}}, "place": FIRST["place"]}
        for one in answers
    ]
    run = subprocess.run(
        [node(), "--import", "tsx", "test/seal_records.ts"],
        cwd=CLIENT,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    opened = [open_body(read_envelope(raw.encode()), keys) for raw in json.loads(run.stdout)]
    assert [body.answers for body in opened] == [{}, {"texte": "é\u202f! 🙂 \ufffd \ufffd"}, answers[2]]


@pytest.mark.parametrize("name", [*OTHER_FRAME, "body"])
def test_a_body_does_not_open_in_a_frame_that_was_changed(vector_keys: RecordKeys, name: str) -> None:
    raw = FIRST["sealed_by_typescript"]
    assert open_body(read_envelope(raw.encode()), vector_keys).flags == ()
    last = json.loads(raw)["body"]
    value = OTHER_FRAME.get(name, last[:-4] + ("AAAA" if last[-4:] != "AAAA" else "BBBB"))
    assert open_body(tampered(raw, name, value), vector_keys).flags == ("unreadable_body",)


def test_the_frame_of_the_envelope_has_no_part_that_is_not_bound() -> None:
    not_bound = {"v", "suite", "key_id", "body"}  # the version is a line of its own; HPKE binds suite and key
    assert set(json.loads(FIRST["sealed_by_python"])) == set(OTHER_FRAME) | not_bound


def test_a_body_does_not_open_with_another_key(vector_keys: RecordKeys) -> None:
    other = vector_keys.current().key_id
    assert open_body(tampered(FIRST["sealed_by_python"], "key_id", other), vector_keys).flags == (
        "unreadable_body",
    )


@pytest.mark.parametrize("body", ["", "BA", "A" * 87, "A" * 200])
def test_what_is_no_sealed_body_is_unreadable_and_nothing_worse(vector_keys: RecordKeys, body: str) -> None:
    assert open_body(tampered(FIRST["sealed_by_python"], "body", body), vector_keys).flags == (
        "unreadable_body",
    )


@pytest.mark.parametrize(
    ("suite", "key_id"), [("none", "0" * 16), (json.loads(FIRST["sealed_by_python"])["suite"], None)]
)
def test_a_key_without_its_suite_is_refused_at_the_door(suite: str, key_id: str | None) -> None:
    frame = {**json.loads(FIRST["sealed_by_python"]), "suite": suite, "key_id": key_id}
    with pytest.raises(UnreadableEnvelope, match="key_id"):
        read_envelope(json.dumps(frame).encode())


# The files of the keys.


def test_a_key_is_a_file_that_only_the_server_reads(tmp_path: Path) -> None:
    keys = RecordKeys(tmp_path / "keys")
    made = keys.make(NOW)
    assert (made.path.stat().st_mode & 0o777, keys.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert made.is_private
    assert keys.all() == [made]
    assert made.key_id in made.path.name


def test_the_newest_key_seals_even_when_two_are_made_in_one_second(tmp_path: Path) -> None:
    keys = RecordKeys(tmp_path)
    made = [keys.make(NOW) for _ in range(5)]
    assert keys.current().key_id == made[-1].key_id
    assert keys.all() == made


def test_without_a_key_nobody_seals(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="survey-app keys new"):
        RecordKeys(tmp_path / "nowhere").current()


def test_a_damaged_or_exchanged_key_file_is_named(tmp_path: Path) -> None:
    keys = RecordKeys(tmp_path)
    one, other = keys.make(NOW), keys.make(NOW)
    other.path.write_bytes(one.path.read_bytes())
    with pytest.raises(KeyFileError, match="autre clé"):
        other.public()
    one.path.write_text("not a key")
    with pytest.raises(KeyFileError, match=r"n’est pas une clé lisible"):
        one.public()


# What the judge makes of them.


@pytest.fixture
def wave(database: Flask) -> Flask:
    """An open wave and one key."""
    records.open_a_wave()
    held().make(NOW)
    return database


def hide(key_id: str) -> Path:
    """Take the file of a key away; where it is now."""
    path = held().of(key_id).path
    return path.rename(path.with_suffix(".away"))


def bring_back(path: Path) -> None:
    path.rename(path.with_suffix(".pem"))


def judge(minutes: int = 0) -> int:
    return intake.judge_waiting(now=LATER + dt.timedelta(minutes=minutes))


def test_a_sealed_record_counts_as_any_other(wave: Flask) -> None:
    take(a_sealed_record())
    assert judge() == 1
    assert fieldwork(WAVE).counted == 1


def test_after_a_rotation_the_records_sealed_before_are_still_read(wave: Flask) -> None:
    old = a_sealed_record()
    held().make(NOW)
    new = a_sealed_record()
    assert read_envelope(old).key_id != read_envelope(new).key_id
    take(old)
    take(new)
    assert judge() == 2
    assert fieldwork(WAVE).counted == 2


def test_a_record_waits_for_its_key_and_is_judged_when_the_file_is_back(wave: Flask) -> None:
    raw = a_sealed_record()
    key_id = read_envelope(raw).key_id or ""
    away = hide(key_id)
    take(raw)
    with pytest.raises(KeyMissing, match=key_id):
        open_body(read_envelope(raw), held())
    assert judge() == 0
    assert [one.missing_key for one in unjudged.waiting(WAVE)] == [key_id]
    bring_back(away)
    assert judge() == 1
    assert fieldwork(WAVE).counted == 1


def test_the_running_judge_looks_again_within_minutes(wave: Flask) -> None:
    raw = a_sealed_record()
    away = hide(read_envelope(raw).key_id or "")
    take(raw)
    running = intake.Intake()
    assert running.judge_waiting(now=LATER) == 0
    bring_back(away)
    assert running.judge_waiting(now=LATER + dt.timedelta(minutes=2)) == 1


def test_records_that_wait_for_a_key_hold_up_no_other(wave: Flask) -> None:
    sealed_ones = [a_sealed_record() for _ in range(intake.BATCH + 5)]
    hide(read_envelope(sealed_ones[0]).key_id or "")
    for raw in sealed_ones:
        take(raw)
    take(a_record(), now=NOW + dt.timedelta(seconds=1))
    assert judge() == 1
    assert fieldwork(WAVE).counted == 1


def test_a_record_that_does_not_open_under_its_key_is_kept_flagged_and_never_counted(wave: Flask) -> None:
    frame = json.loads(a_sealed_record())
    take(json.dumps({**frame, "revision": frame["revision"] + 1}).encode())
    assert judge() == 1
    assert fieldwork(WAVE).not_counted == {"unreadable_body": 1}


def test_the_doctor_names_the_missing_key_and_what_waits_for_it(wave: Flask) -> None:
    settings = wave.extensions["survey_settings"]
    raw = a_sealed_record()
    key_id = read_envelope(raw).key_id or ""
    take(raw)
    assert "missing_key" not in {finding.code for finding in doctor.examine(settings)}
    hide(key_id)
    held().make(NOW)
    found = {finding.code: finding for finding in doctor.examine(settings)}
    assert found["missing_key"].severity == "error"
    assert f"1 envoi attend la clé {key_id}" in found["missing_key"].message


def test_the_doctor_sees_that_there_is_no_key_and_a_key_that_others_can_read(wave: Flask) -> None:
    settings = wave.extensions["survey_settings"]
    (key,) = held().all()
    key.path.chmod(0o644)
    assert [f.severity for f in doctor.examine(settings) if f.code == "keys"] == ["ok", "warning"]
    key.path.unlink()
    assert [f.severity for f in doctor.examine(settings) if f.code == "keys"] == ["error"]


def test_a_record_without_its_key_is_never_set_apart_by_the_referent(wave: Flask) -> None:
    raw = a_sealed_record()
    hide(read_envelope(raw).key_id or "")
    waits = take(raw).id
    assert unjudged.judge_or_set_apart(WAVE, [waits], by="référente") == (0, 0, 1, 0)
    assert len(unjudged.waiting(WAVE)) == 1


def test_a_key_that_is_lost_for_good_does_not_keep_its_wave_from_being_sealed(wave: Flask) -> None:
    raw = a_sealed_record()
    key_id = read_envelope(raw).key_id or ""
    hide(key_id)
    take(raw)
    records.change_wave(state="closed", closed_at=NOW + dt.timedelta(minutes=5))
    assert unjudged.waiting_for_keys() == {key_id: 1}
    assert unjudged.give_up("0" * 16, by="commande") == 0
    assert unjudged.give_up(key_id, by="commande") == 1
    seal_wave(WAVE, actor="référente")


def test_a_record_of_an_older_application_is_taken_in_clear(wave: Flask) -> None:
    take(a_record(), records.TABLET)
    assert judge() == 1
    assert fieldwork(WAVE).counted == 1


def test_what_a_person_took_back_is_kept_and_becomes_no_response(wave: Flask) -> None:
    record_id = take(a_sealed_record(body={"complete": False})).id
    assert judge() == 1
    assert fieldwork(WAVE).counted == 1
    taken_back = {"answers": {}, "complete": False, "withdrawn": True}
    take(a_sealed_record(record_id=record_id, revision=1, body=taken_back))
    alone = take(a_sealed_record(body=taken_back)).id
    assert intake.judge_waiting(now=NOW) == 2, "nobody is going to finish it: it does not wait"
    assert fieldwork(WAVE).counted == 0
    assert decided.find(WAVE, lambda number: number == alone) == []
    assert decided.set_aside_by_people(WAVE, offset=0, limit=10) == []


def test_a_finished_response_is_not_taken_back_by_a_later_revision(wave: Flask) -> None:
    record_id = take(a_sealed_record()).id
    taken_back = {"answers": {}, "complete": False, "withdrawn": True}
    take(a_sealed_record(record_id=record_id, revision=1, body=taken_back))
    assert judge() == 2
    assert fieldwork(WAVE).counted == 1


def test_nothing_of_the_answers_is_in_the_bytes_that_are_stored(wave: Flask) -> None:
    envelope = read_envelope(a_record())
    plain, closed = write_envelope(envelope), write_envelope(sealed(envelope, held().current()))
    assert open_body(read_envelope(closed), held()).answers == ANSWERS
    readable = [base64.urlsafe_b64decode(read_envelope(raw).body + "==") for raw in (plain, closed)]
    assert [b"autre chose" in body for body in readable] == [True, False]
    assert replace(read_envelope(closed), body="", suite="none", key_id=None) == replace(envelope, body="")
