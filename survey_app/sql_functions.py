"""What our statements call and the databases do not both have under one name. Floor 2."""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class sha256_hex(GenericFunction[str]):  # noqa: N801 (the name in SQL)
    """SHA-256 of a text, in hexadecimal."""

    type = sa.String(64)
    inherit_cache = True


@compiles(sha256_hex, "postgresql")
def _on_postgresql(function: sha256_hex, compiler: SQLCompiler, **words: Any) -> str:
    return f"encode(sha256(convert_to({compiler.process(function.clauses, **words)}, 'UTF8')), 'hex')"


def add_to_sqlite(connection: Any) -> None:
    """Make them known to a bare connection."""
    connection.create_function("sha256_hex", 1, _sha256_hex, deterministic=True)


def _sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
