"""Adapter operations: the table, and how a list of them is read, checked and judged."""

from stepdown_adapters.operations.base import Loss, Operation
from stepdown_adapters.operations.checking import check, is_lossless
from stepdown_adapters.operations.parsing import parse

__all__ = ["Loss", "Operation", "check", "is_lossless", "parse"]
