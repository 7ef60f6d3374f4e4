"""A thread that works in the background of a server process, step by step. Floor 2.

It holds no state that matters: killed at any time, the next one goes on.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import ClassVar, Self

from flask import Flask

from survey_app.fault_log import told_without_values
from survey_app.settings import Settings

log = logging.getLogger(__name__)
_STARTED = "survey_background_threads"


class BackgroundThread(ABC):
    """Takes one step after the other until stopped. Each process may have one of each kind."""

    name: ClassVar[str]
    """Of the thread, in the log too."""
    pause_after_fault_seconds: ClassVar[float]

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name=self.name, daemon=True)

    @abstractmethod
    def step(self) -> float:
        """Do a small part of the work; seconds until the next is worth while."""

    def close(self) -> None:  # noqa: B027 (most have nothing to give back)
        """Give back at the end what others wait for."""

    @classmethod
    def is_wanted(cls, settings: Settings) -> bool:
        """Whether this process does the work, and not another one."""
        return settings.run_worker

    @classmethod
    def start_in(cls, app: Flask) -> Self | None:
        """Start the one of this process, where the settings want it."""
        if not cls.is_wanted(app.extensions["survey_settings"]):
            return None
        thread = cls(app)
        started_in(app)[cls.name] = thread
        thread.start()
        return thread

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float = 10) -> None:
        """Finish the step at hand and end."""
        self.stopping.set()
        self._thread.join(timeout)

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def run(self) -> None:
        """Work in the calling thread until stopped."""
        with self.app.app_context():
            while not self.stopping.is_set():
                self.stopping.wait(self.take_step())
            try:
                self.close()
            except Exception as error:  # noqa: BLE001 (whoever waits for it takes it after a while)
                log.warning("%s: %s", self.name, told_without_values(error))

    def take_step(self) -> float:
        """One step, whatever comes of it; seconds until the next."""
        try:
            return self.step()
        except Exception as error:  # noqa: BLE001 (a thread that ends would do nothing any more)
            log.warning("%s pauses: %s", self.name, told_without_values(error))
            return self.pause_after_fault_seconds


def started_in(app: Flask) -> dict[str, BackgroundThread]:
    """The threads of this process, by their names."""
    threads: dict[str, BackgroundThread] = app.extensions.setdefault(_STARTED, {})
    return threads
