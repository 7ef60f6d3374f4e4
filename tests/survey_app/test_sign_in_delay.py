"""Failed sign-ins slow down whoever makes them, in every process alike, and never lock the owner out."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app.database import db
from survey_app.models import SignInTry
from survey_app.responses.purge import purge
from survey_app.settings import RetentionTerms
from survey_app.sign_in_delay import ACCOUNT_HERE, KNOWN_FOR, LONGEST, SignInDelay

NOW = dt.datetime(2026, 3, 10, 9, 30, tzinfo=dt.UTC)
OWNER = "owner@p.fr"
OFFICE, ELSEWHERE = "192.0.2.7", "198.51.100.1"


@pytest.fixture
def delay(database: Flask) -> SignInDelay:
    return SignInDelay("key")


def fail(delay: SignInDelay, times: int, account: str = OWNER, address: str = OFFICE) -> list[bool]:
    """Whether each of so many failing tries was let through."""
    return [delay.begin(account, address, NOW) is not None for _ in range(times)]


def let_through(delay: SignInDelay, address: str = OFFICE, now: dt.datetime = NOW) -> bool:
    return delay.begin(OWNER, address, now) is not None


def rows() -> list[SignInTry]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(SignInTry)))


@pytest.mark.abuse("AC-42")
def test_failures_counted_by_one_process_slow_the_others_down(delay: SignInDelay) -> None:
    """Each process has a delay of its own, made from the same settings: what they share is the database."""
    processes = [delay, SignInDelay("key"), SignInDelay("key")]
    passed = [processes[number % 3].begin(OWNER, OFFICE, NOW) is not None for number in range(12)]
    assert passed == [True] * 5 + [False] * 7


def test_tries_sent_all_at_once_cannot_pass_each_other(database: Flask, delay: SignInDelay) -> None:
    def one(_number: int) -> bool:
        with database.app_context():
            return let_through(delay)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(24))) == ACCOUNT_HERE.failures


def test_the_delay_is_over_after_a_minute(delay: SignInDelay) -> None:
    fail(delay, 6)
    assert not let_through(delay, now=NOW + dt.timedelta(seconds=59))
    assert let_through(delay, now=NOW + dt.timedelta(seconds=61))


def test_a_right_passphrase_is_no_failure(delay: SignInDelay) -> None:
    for _ in range(40):
        number = delay.begin(OWNER, OFFICE, NOW)
        assert number is not None
        delay.succeeded(number)


@pytest.mark.abuse("AC-43")
def test_failures_from_one_place_do_not_lock_the_owner_out_elsewhere(delay: SignInDelay) -> None:
    fail(delay, 6, address=ELSEWHERE)
    assert not let_through(delay, ELSEWHERE)
    assert let_through(delay, OFFICE)


@pytest.mark.abuse("AC-42")
def test_one_passphrase_tried_on_many_accounts_stops(delay: SignInDelay) -> None:
    assert sum(fail(delay, 1, f"account{number}@p.fr")[0] for number in range(60)) <= 25


def test_strangers_cannot_lock_the_owner_out_of_a_place_that_worked_before(delay: SignInDelay) -> None:
    delay.succeeded(delay.begin(OWNER, OFFICE, NOW) or 0)
    passed = [fail(delay, 1, address=f"198.51.100.{place}")[0] for place in range(40)]
    assert sum(passed) == 30
    assert let_through(delay, OFFICE)
    assert not let_through(delay, "203.0.113.9")


def test_the_place_of_the_evening_before_is_still_known_in_the_morning(delay: SignInDelay) -> None:
    delay.succeeded(delay.begin(OWNER, OFFICE, NOW) or 0)
    morning = NOW + dt.timedelta(hours=23)
    for place in range(30):
        delay.begin(OWNER, f"198.51.100.{place}", morning)
    assert let_through(delay, OFFICE, morning)
    assert not let_through(delay, "203.0.113.9", morning)


def test_a_place_that_worked_before_is_slowed_down_by_its_own_failures(delay: SignInDelay) -> None:
    delay.succeeded(delay.begin(OWNER, OFFICE, NOW) or 0)
    assert fail(delay, 6) == [True] * 5 + [False]


@pytest.mark.abuse("AC-28")
def test_neither_account_nor_address_is_stored_and_nobody_is_followed_from_day_to_day(
    delay: SignInDelay,
) -> None:
    tomorrow = NOW + dt.timedelta(hours=15)
    for now in (NOW, tomorrow):
        delay.succeeded(delay.begin(OWNER, OFFICE, now) or 0)
    first, second = rows()
    assert first.place != second.place
    assert all(len(name) == 64 for row in (first, second) for name in (row.account, row.place))
    delay.begin(OWNER, OFFICE, NOW)
    SignInDelay("another key").begin(OWNER, OFFICE, NOW)
    *_, mine, other = rows()
    assert {mine.account, mine.place}.isdisjoint({other.account, other.place})


def test_tries_are_forgotten(delay: SignInDelay) -> None:
    delay.succeeded(delay.begin(OWNER, OFFICE, NOW) or 0)
    fail(delay, 3)
    let_through(delay, now=NOW + LONGEST)
    assert [row.succeeded for row in rows()] == [True, False]
    let_through(delay, now=NOW + KNOWN_FOR)
    assert [row.at for row in rows()] == [NOW + KNOWN_FOR]


def test_the_purge_forgets_tries_after_which_nobody_came(delay: SignInDelay) -> None:
    fail(delay, 3)
    erased = purge(RetentionTerms(), by="cron", now=NOW + dt.timedelta(days=1))
    assert (erased["sign_in_tries"], rows()) == (3, [])
