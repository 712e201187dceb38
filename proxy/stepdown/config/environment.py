"""`${NAME}` and `${NAME:-default}` in the strings of a file; `$${` stands for `${` itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(
    r"(?P<escaped>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<broken>\$\{)"
)


class UnfilledError(ValueError):
    """A reference that cannot be filled in; `args` are the problem and what is allowed."""


def fill_in(text: str, environ: Mapping[str, str]) -> str:
    """`text` with every reference replaced; raises `UnfilledError`.

    As in a shell, `:-` gives the default also for a variable that is set to nothing.
    """

    def replacement(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "${"
        if found["broken"]:
            raise UnfilledError("found a broken reference", "${NAME} or ${NAME:-default}; a literal ${ is written $${")
        name, default = found["name"], found["default"]
        value = environ.get(name, "")
        if default is not None:
            return value or default
        if name not in environ:
            raise UnfilledError(
                f"the environment variable {name} is not set", f"a variable that is set, or ${{{name}:-default}}"
            )
        return value

    return _REFERENCE.sub(replacement, text)
