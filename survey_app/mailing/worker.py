"""The thread that sends, and reads what came back."""

from __future__ import annotations

import logging
import time

from flask import Flask

from survey_app.background import BackgroundThread
from survey_app.fault_log import told_without_values
from survey_app.mailing.mailbox import read_maildir
from survey_app.mailing.sender import IDLE_SECONDS, Sender
from survey_app.settings import Settings

log = logging.getLogger(__name__)
SECONDS_BETWEEN_READINGS = 60.0
ACTOR = "serveur"


class MailWorker(BackgroundThread):
    """Sends in the background. However many there are, only one of them sends."""

    name = "mail"
    pause_after_fault_seconds = 30.0

    def __init__(self, app: Flask, idle_seconds: float = IDLE_SECONDS) -> None:
        super().__init__(app)
        self._idle_seconds = idle_seconds
        self._sender = Sender(app.extensions["survey_settings"])
        self._read_next = 0.0

    @classmethod
    def is_wanted(cls, settings: Settings) -> bool:
        """Where the settings name a relay, too."""
        return super().is_wanted(settings) and not settings.mail.lacks

    def step(self) -> float:
        """Send at most one message."""
        self._read_what_came_back()
        pause = self._sender.step()
        return self._idle_seconds if pause is None else pause

    def close(self) -> None:
        """Give the lease back; it ends by itself, too."""
        self._sender.close()

    def _read_what_came_back(self) -> None:
        folder, now = self.app.extensions["survey_settings"].mail.bounce_folder, time.monotonic()
        if folder is not None and now >= self._read_next:
            self._read_next = now + SECONDS_BETWEEN_READINGS
            try:
                read_maildir(folder, actor=ACTOR)
            except OSError as fault:  # what cannot be read must not keep from leaving what can
                log.warning("bounces: %s", told_without_values(fault))
