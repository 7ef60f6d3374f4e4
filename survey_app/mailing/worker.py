"""The thread that sends. It holds no state that matters: killed any time, the next goes on."""

from __future__ import annotations

import logging
import threading
import time

from flask import Flask

from survey_app.fault_log import told_without_values
from survey_app.mailing.mailbox import read_maildir
from survey_app.mailing.sender import IDLE_SECONDS, Sender

log = logging.getLogger(__name__)
PAUSE_AFTER_FAULT_SECONDS = 30.0
SECONDS_BETWEEN_READINGS = 60.0
ACTOR = "serveur"


class MailWorker:
    """Sends in the background until stopped. Each process may have one: only one of all sends."""

    def __init__(self, app: Flask, idle_seconds: float = IDLE_SECONDS) -> None:
        self._app = app
        self._idle_seconds = idle_seconds
        self._sender = Sender(app.extensions["survey_settings"])
        self._read_next = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mail", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self, timeout: float = 10) -> None:
        """Finish the message at hand, give the lease back and end."""
        self._stopping.set()
        self._thread.join(timeout)

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        with self._app.app_context():
            while not self._stopping.is_set():
                self._stopping.wait(self._step())
            try:
                self._sender.close()
            except Exception as error:  # noqa: BLE001 (the lease ends by itself)
                log.warning("mail: %s", told_without_values(error))

    def _step(self) -> float:
        try:
            self._read_what_came_back()
            pause = self._sender.step()
        except Exception as error:  # noqa: BLE001 (the thread must go on)
            log.warning("mail pauses: %s", told_without_values(error))
            return PAUSE_AFTER_FAULT_SECONDS
        return self._idle_seconds if pause is None else pause

    def _read_what_came_back(self) -> None:
        folder, now = self._app.extensions["survey_settings"].mail.bounce_folder, time.monotonic()
        if folder is not None and now >= self._read_next:
            self._read_next = now + SECONDS_BETWEEN_READINGS
            try:
                read_maildir(folder, actor=ACTOR)
            except OSError as fault:  # what cannot be read must not keep from leaving what can
                log.warning("bounces: %s", told_without_values(fault))


def start(app: Flask) -> MailWorker | None:
    """Start the sender of this process, where the settings name a relay and let it work."""
    settings = app.extensions["survey_settings"]
    if not settings.run_worker or settings.mail.lacks:
        return None
    worker = MailWorker(app)
    app.extensions["survey_mail_worker"] = worker
    worker.start()
    return worker
