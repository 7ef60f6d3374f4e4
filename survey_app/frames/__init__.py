"""Sampling frames: lists of officials as they really come, checked, kept, and frozen for a wave. Floor 4."""

from survey_app.frames.check import FrameCheck, check_files
from survey_app.frames.entries import Territory
from survey_app.frames.files import FrameError
from survey_app.frames.freezing import FrozenFrame, FrozenUnit, Stratum, freeze
from survey_app.frames.snapshots import freeze_for_wave, frozen_frame, write_wave_frame
from survey_app.frames.storage import PendingFrame, import_frame

__all__ = [
    "FrameCheck",
    "FrameError",
    "FrozenFrame",
    "FrozenUnit",
    "PendingFrame",
    "Stratum",
    "Territory",
    "check_files",
    "freeze",
    "freeze_for_wave",
    "frozen_frame",
    "import_frame",
    "write_wave_frame",
]
