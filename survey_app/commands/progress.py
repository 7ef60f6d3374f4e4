"""A progress bar on a terminal, nothing in a pipe or a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

EVERY = 500


@contextmanager
def progress(label: str, length: int, every: int = EVERY) -> Iterator[Callable[[int], None]]:
    """A function that advances the bar; drawn on the error output, so that the results stay clean."""
    if not sys.stderr.isatty():
        yield lambda _steps: None
        return
    with click.progressbar(
        length=length, label=label, file=sys.stderr, update_min_steps=every, show_eta=length > EVERY
    ) as bar:
        yield bar.update
