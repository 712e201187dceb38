"""Reads what a client pins with `X-Model-Version`: a version or range, for one model or for several by name.

1.1.0        v1.0        ^1.2        latest        churn=1.1.0        churn=1.1.0, fraud=^2
"""

from __future__ import annotations

import re

from stepdown_adapters.versions import VersionError

HEADER = "x-model-version"
VALUE = re.compile(r"[A-Za-z0-9._^~<>=,* -]{1,128}")
_NAMED = re.compile(r" *([A-Za-z0-9_][A-Za-z0-9._-]*)=(.*)")


def wanted(text: str, model: str) -> str | None:
    """The part of a pin that is about `model`; `None` where it names others only.

    Raises:
        VersionError: it has characters that no pin has, is a list of which a part names no model, or names this one
            twice. Whether what is left is a version or range is not looked at.
    """
    if VALUE.fullmatch(text) is None:
        raise VersionError("a version is 1 to 128 letters, digits, spaces or any of . _ ^ ~ < > = , * -")
    items = text.split(",")
    if len(items) == 1 and not _NAMED.fullmatch(text):
        return text
    found: str | None = None
    for item in items:
        named = _NAMED.fullmatch(item)
        if named is None:
            raise VersionError(f"{item.strip()!r} in a list names no model; write model=version")
        if named[1] == model:
            if found is not None:
                raise VersionError(f"the model {model} is named twice")
            found = named[2]
    return found
