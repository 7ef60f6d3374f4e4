"""« Envois »."""

from flask import Blueprint

blueprint = Blueprint("staff_mailings", __name__, url_prefix="/gestion")
