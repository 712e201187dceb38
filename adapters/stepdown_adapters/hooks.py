"""Finds the Python function that an adapter names as its hook."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from stepdown_adapters.context import Context
from stepdown_adapters.errors import OperationError, Problem


def load_hook(reference: str) -> Callable[[Any, Context], Any]:
    """The function behind `package.module:function`; importing it runs the module.

    Raises:
        OperationError: there is no such module or function, or the module cannot be imported.
    """
    module, _, name = reference.partition(":")
    try:
        function: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever a module does when it is imported
        raise OperationError([Problem("hook", f"{reference!r} cannot be imported: {error}")]) from error
    if not callable(function):
        raise OperationError([Problem("hook", f"{reference!r} is not a function")])
    return function
