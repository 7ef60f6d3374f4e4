"""An objection holds for the address, however it is written, and keeps no address."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask

from survey_app.database import db, write_transaction
from survey_app.invitation_models import Objection
from survey_app.invitations.links import address_hash
from survey_app.invitations.objections import add_objection, objects, without_objections


def test_an_objection_holds_for_the_address_and_for_no_other(database: Flask) -> None:
    with write_transaction() as transaction:
        add_objection(transaction, address_hash("Mairie@Exemple.fr"), origin="link")
    assert objects(db.session(), " mairie@exemple.fr")
    assert not objects(db.session(), "autre@exemple.fr")
    asked = ["mairie@exemple.fr", "autre@exemple.fr"]
    assert without_objections(db.session(), asked) == {"autre@exemple.fr"}


def test_objecting_twice_is_objecting_once(database: Flask) -> None:
    for origin in ("link", "one_click"):
        with write_transaction() as transaction:
            add_objection(transaction, address_hash("a@exemple.fr"), origin=origin)
    assert [row.origin for row in db.session.scalars(sa.select(Objection))] == ["link"]


def test_the_table_holds_no_address(database: Flask) -> None:
    with write_transaction() as transaction:
        add_objection(transaction, address_hash("maire.secret@exemple.fr"), origin="link")
    row = db.session.scalars(sa.select(Objection)).one()
    assert "secret" not in repr(vars(row))
    assert len(row.address_hash) == 64
