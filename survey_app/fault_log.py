"""What a log may say of a fault: kinds, places, driver codes; no message, it may quote an answer. Floor 2."""

from __future__ import annotations

from traceback import format_tb


def told_without_values(fault: BaseException | None) -> str:
    """The fault and what caused it, outermost first, each with the frames it passed through."""
    told = []
    while fault is not None:
        code = driver_code(fault)
        told += [type(fault).__name__, f" ({code})" if code else "", "\n", *format_tb(fault.__traceback__)]
        fault = fault.__cause__ or fault.__context__
    return "".join(told)


def driver_code(fault: BaseException) -> str | None:
    """What the database calls this fault: ``SQLITE_FULL``, or five characters of PostgreSQL."""
    return getattr(fault, "sqlite_errorname", None) or getattr(fault, "sqlstate", None)
