"""A process of its own that finishes a wave and is killed at a step: ``python -m … URL FOLDER STEP``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from flask import Flask

from survey_app.database import install
from survey_app.invitations import mixing
from survey_app.settings import testing
from tests.survey_app.invitations.invited import WAVE


def main(url: str, folder: str, step: str) -> None:
    """Dies at the step, or ends well."""

    def pull_the_plug(reached: str) -> None:
        if reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    vars(mixing)["reached"] = pull_the_plug
    app = Flask("victim")
    install(app, testing(database_url=url, data_folder=Path(folder)))
    with app.app_context():
        mixing.finish(WAVE, actor="test")


if __name__ == "__main__":
    main(*sys.argv[1:])
