"""Templates are compiled once in a process: nearly every test makes an application of its own."""

from __future__ import annotations

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class KeptBytecode(BytecodeCache):
    """In memory; Jinja compares the source with what was compiled."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """What an application before compiled."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """For the applications after."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


def share() -> None:
    """Among all applications of this process."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": KeptBytecode()}
