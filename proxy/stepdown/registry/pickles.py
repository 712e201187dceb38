"""What a pickle would import, read without running it, so that whoever decides to unpickle sees what it names.

A hint and no guard: a pickle that was made to deceive can hide a name from this, and harmless names can be combined to
harm. Streams of joblib hold raw arrays between their opcodes and cannot be read this way.
"""

from __future__ import annotations

import pickletools

MOST_BYTES = 64 * 1024 * 1024
_STRINGS = frozenset(
    {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "STRING", "BINSTRING", "SHORT_BINSTRING"}
)
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})


def names(data: bytes) -> tuple[str, ...] | None:
    """The names that a pickle imports, as `module.name`, sorted; `None` where it is too large or cannot be read."""
    if len(data) > MOST_BYTES:
        return None
    found: set[str] = set()
    pushed: list[str] = []
    memo: dict[int, str] = {}
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in {"GLOBAL", "INST"}:
                found.add(str(argument).replace(" ", "."))
                pushed.append("")
            elif opcode.name == "STACK_GLOBAL":
                found.add(".".join(pushed[-2:]))
                pushed.append("")
            elif opcode.name in _STRINGS:
                pushed.append(str(argument))
            elif opcode.name in _GETS:
                pushed.append(memo.get(int(str(argument)), ""))
            elif opcode.name == "MEMOIZE":
                memo[len(memo)] = pushed[-1] if pushed else ""
            elif opcode.name in _PUTS:
                memo[int(str(argument))] = pushed[-1] if pushed else ""
            else:
                _other(opcode.name, pushed)
    except (ValueError, IndexError, UnicodeDecodeError):
        return None
    return tuple(sorted(found))


def _other(name: str, pushed: list[str]) -> None:
    """Whatever else is pushed or made is no name; what only marks or frames moves nothing."""
    if name not in {"PROTO", "FRAME", "MARK", "STOP"}:
        pushed.append("")
