"""What is wrong with a flag file, each mistake with its JSON Pointer."""

from __future__ import annotations

from dataclasses import dataclass

from stepdown.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake in a flag file."""

    pointer: str
    """Where: a JSON Pointer (RFC 6901) after `#`, nothing percent-encoded: `#/flags/new-model/state`."""
    problem: str
    """What is wrong there, and what would be right."""

    def __str__(self) -> str:
        return f"{self.pointer}: {self.problem}"


class FlagFileError(ConfigError):
    """The flag file is refused as a whole; `findings` has every mistake, `str()` a line for each."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


def pointer(*tokens: str | int) -> str:
    """The JSON Pointer of a place in the file."""
    return "#" + "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def quoted(value: object, longest: int = 60) -> str:
    """A value for a message: its representation, cut short."""
    if isinstance(value, int) and value.bit_length() > 256:
        return "a very large number"
    shown = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."
