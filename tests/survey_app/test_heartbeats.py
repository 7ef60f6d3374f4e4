"""What a tablet says of itself: kept value by value, never twice, and answered with what the server lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from survey_app.database import db, write_transaction
from survey_app.device_models import Device, DeviceRefusals
from survey_app.models import ServerFact
from tests.survey_app.tablet_site import FakeTablet, TabletSite, tablet_site

PATH = "/api/v1/devices/heartbeat"
TODAY = datetime.now(tz=UTC).date()
NEWS: dict[str, Any] = {
    "beat": 7,
    "waiting": 3,
    "quarantined": 1,
    "drafts": 1,
    "retained": 40,
    "high_seq": 12,
    "held": [[3, 4], [9, 9]],
    "former": 2,
    "app_digest": "d" * 64,
    "questionnaires": ["e" * 64],
    "clock_offset_ms": -1500.4,
    "persisted": False,
    "battery": {"level": 0.554, "charging": True},
    "last_receipt_at": "2026-06-15T10:00:00+02:00",
    "readiness": "amber",
    "readiness_reason": "persistence",
    "pin_failures": 2,
    "refusals": {TODAY.isoformat(): 4},
}
KEPT = {
    "beat": 7,
    "waiting": 3,
    "quarantined": 1,
    "drafts": 1,
    "retained": 40,
    "high_seq": 12,
    "held": [[3, 4], [9, 9]],
    "former": 2,
    "app_digest": "d" * 64,
    "questionnaires": ["e" * 64],
    "clock_offset_ms": -1500,
    "persisted": False,
    "battery_percent": 55,
    "charging": True,
    "last_receipt_at": datetime(2026, 6, 15, 8, tzinfo=UTC),
    "readiness": "amber",
    "readiness_reason": "persistence",
    "pin_failures": 2,
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TabletSite]:
    with tablet_site(tmp_path) as made:
        yield made


@pytest.fixture
def tablet(site: TabletSite) -> FakeTablet:
    return FakeTablet.enrolled(site)


def tell(tablet: FakeTablet, **news: Any) -> dict[str, Any]:
    answer = tablet.call("POST", PATH, json.dumps(news).encode())
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def kept(site: TabletSite, tablet: FakeTablet) -> dict[str, Any]:
    with site.app.app_context():
        device = db.session.get_one(Device, tablet.device)
        return {name: getattr(device, name) for name in KEPT}


def refused(site: TabletSite) -> dict[Any, int]:
    with site.app.app_context():
        return {row.day: row.count for row in db.session.query(DeviceRefusals)}


def test_everything_a_tablet_says_is_kept(site: TabletSite, tablet: FakeTablet) -> None:
    tell(tablet, **NEWS)
    assert kept(site, tablet) == KEPT
    assert refused(site) == {TODAY: 4}


ODD: list[tuple[str, Any]] = [
    *[
        (name, value)
        for name in ("waiting", "quarantined", "drafts", "retained")
        for value in (-1, 2**31, 1.5)
    ],
    ("waiting", True),
    ("waiting", "3"),
    ("app_digest", ["d" * 64]),
    ("questionnaires", "e" * 64),
    ("clock_offset_ms", 1e300),
    ("clock_offset_ms", True),
    ("persisted", "no"),
    ("last_receipt_at", "yesterday"),
    ("last_receipt_at", "2026-06-15T10:00:00"),
    ("readiness", "purple"),
    ("readiness_reason", "<b>"),
    ("readiness_reason", "x" * 41),
]


@pytest.mark.parametrize(("name", "odd"), ODD)
def test_an_odd_value_is_left_out_and_the_others_are_kept(
    site: TabletSite, tablet: FakeTablet, name: str, odd: Any
) -> None:
    tell(tablet, **{**NEWS, name: odd})
    assert kept(site, tablet) == {**KEPT, name: None}


@pytest.mark.parametrize(
    "battery", ["full", {"level": 2}, {"level": "0.5", "charging": 1}, [], {"level": True}]
)
def test_an_odd_battery_is_an_unknown_one(site: TabletSite, tablet: FakeTablet, battery: Any) -> None:
    tell(tablet, **{**NEWS, "battery": battery})
    assert kept(site, tablet) == {**KEPT, "battery_percent": None, "charging": None}


def test_a_call_sent_again_or_come_late_changes_nothing(site: TabletSite, tablet: FakeTablet) -> None:
    tell(tablet, **NEWS)
    for beat in (7, 6, 0):
        answer = tell(tablet, **{**NEWS, "beat": beat, "waiting": 99, "refusals": {TODAY.isoformat(): 9}})
        assert answer["revoked"] is False
    assert kept(site, tablet) == KEPT
    assert refused(site) == {TODAY: 4}
    tell(tablet, **{**NEWS, "beat": 8, "waiting": 0})
    assert kept(site, tablet) == {**KEPT, "beat": 8, "waiting": 0}


def test_numbers_that_can_only_rise_never_fall(site: TabletSite, tablet: FakeTablet) -> None:
    tell(tablet, **NEWS)
    tell(tablet, **{**NEWS, "beat": 8, "high_seq": 4, "pin_failures": 0, "refusals": {TODAY.isoformat(): 1}})
    assert kept(site, tablet) == {**KEPT, "beat": 8}
    assert refused(site) == {TODAY: 4}
    tell(tablet, beat=9, refusals={TODAY.isoformat(): 6})
    assert kept(site, tablet)["high_seq"] == 12
    assert refused(site) == {TODAY: 6}


def test_refusals_of_days_that_cannot_be_are_left_out(site: TabletSite, tablet: FakeTablet) -> None:
    days = {"tomorrow": 1, (TODAY + timedelta(days=3)).isoformat(): 2, "2001-01-01": 3, "2026-02-30": 4}
    tell(tablet, beat=1, refusals={**days, TODAY.isoformat(): -5, (TODAY - timedelta(days=1)).isoformat(): 5})
    assert refused(site) == {TODAY - timedelta(days=1): 5}


def test_the_latest_days_are_kept_of_a_tablet_that_counted_for_years(
    site: TabletSite, tablet: FakeTablet
) -> None:
    days = [TODAY - timedelta(days=number) for number in range(500, -1, -1)]
    tell(tablet, beat=1, refusals={day.isoformat(): 1 for day in days})
    assert min(refused(site)) == TODAY - timedelta(days=61)
    assert max(refused(site)) == TODAY


def test_the_answer_names_the_numbers_that_the_server_lacks(site: TabletSite, tablet: FakeTablet) -> None:
    for _ in range(4):
        raw = tablet.envelope()
        if tablet.seq != 2:
            tablet.put(raw)
    assert tell(tablet, beat=1, high_seq=6)["missing"] == [2, 5, 6]
    assert tell(tablet, beat=2, high_seq=3)["missing"] == [2]
    assert tell(tablet, beat=3)["missing"] == []
    assert tell(tablet, beat=4, high_seq=2**31 - 1)["missing"] == [2, *range(5, 204)]


def test_the_answer_tells_the_watermark_of_the_backups_once_there_is_one(
    site: TabletSite, tablet: FakeTablet
) -> None:
    answer = tell(tablet)
    assert (answer["watermark"], answer["idle_seconds"], answer["pin"]) == (None, 120, None)
    with site.app.app_context(), write_transaction() as transaction:
        transaction.add(ServerFact(key="backup_watermark", value="2026-06-15T08:00:00+00:00"))
    assert tell(tablet)["watermark"] == "2026-06-15T08:00:00+00:00"


def test_only_a_revoked_tablet_can_have_emptied_itself(site: TabletSite, tablet: FakeTablet) -> None:
    def emptied_at() -> datetime | None:
        with site.app.app_context():
            return db.session.get_one(Device, tablet.device).emptied_at

    tell(tablet, beat=1, emptied=True)
    assert emptied_at() is None
    site.revoke(tablet.device)
    tell(tablet, beat=2, emptied="yes")
    assert emptied_at() is None
    tell(tablet, beat=3, emptied=True)
    assert emptied_at() is not None


@pytest.mark.parametrize(
    "odd", [3, "1", [[1]], [[2, 1]], [[0, 1]], [[1, 2], [2, 3]], [[1, 2**40]], [[1, 1.5]], [[1, 1]] * 2]
)
def test_numbers_that_cannot_be_count_as_not_told(site: TabletSite, tablet: FakeTablet, odd: object) -> None:
    tell(tablet, beat=1, held=odd)
    with site.app.app_context():
        assert db.session.get_one(Device, tablet.device).held is None
