"""flagd's `sem_ver`: compares two versions by SemVer 2.0 precedence, forgiving about how they are written.

A leading `v` or `V` does not count, missing parts are 0 (`1` is `1.0.0`), and build metadata never counts. A version
that is none, an unknown comparison or a wrong number of arguments makes null, which is not the same as false: a
targeting that ends in null takes the flag's default variant.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from stepdown_adapters.versions import Version, VersionError

_COMPARISONS: dict[str, Callable[[Version, Version], bool]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "^": lambda left, right: left.major == right.major,
    "~": lambda left, right: left.major == right.major and left.minor == right.minor,
}

_LONGEST = 256
"""Characters of the longest text that is taken for a version."""


def sem_ver(*values: Any) -> bool | None:
    """Whether `[version, comparison, version]` holds; `None` where that has no answer."""
    if len(values) != 3:
        return None
    comparison = _COMPARISONS.get(values[1]) if isinstance(values[1], str) else None
    left, right = version_of(values[0]), version_of(values[2])
    if comparison is None or left is None or right is None:
        return None
    return comparison(left, right)


def version_of(value: Any) -> Version | None:
    """A text or a number read as a version, or `None`."""
    if isinstance(value, int | float):
        try:
            value = str(value)
        except ValueError:  # a whole number of more digits than Python writes out
            return None
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    return _parse(value)


@lru_cache(maxsize=1024)
def _parse(written: str) -> Version | None:
    bare = written[1:] if written[:1] in ("v", "V") else written
    if bare[:1] in ("v", "V"):
        return None
    numbers = bare.split("-")[0].split("+")[0]
    missing = 2 - numbers.count(".")
    if missing > 0:
        bare = numbers + ".0" * missing + bare[len(numbers) :]
    try:
        return Version.parse(bare)
    except VersionError:
        return None
