"""Sampling frames: lists of officials as they really come, checked, kept, and frozen for a wave. Floor 4."""

from survey_app.frames.check import FrameCheck, check_files
from survey_app.frames.entries import Territory
from survey_app.frames.files import FrameError

__all__ = ["FrameCheck", "FrameError", "Territory", "check_files"]
