"""Feature flags in flagd's file format, evaluated in the process: no I/O, no clock, no exception on any context.

`compile_flags` turns a file into a `FlagSet` of closures once; `FlagSet.evaluate` asks it. What is supported, and where
it differs from flagd, is in docs/flags.md.
"""

from __future__ import annotations

from stepdown.decide.flags.evaluation import ErrorCode, Evaluation, Kind, Reason
from stepdown.decide.flags.findings import Finding, FlagFileError
from stepdown.decide.flags.flagset import FlagSet, compile_flags
from stepdown.decide.flags.nodes import Needs

__all__ = ["ErrorCode", "Evaluation", "Finding", "FlagFileError", "FlagSet", "Kind", "Needs", "Reason", "compile_flags"]
