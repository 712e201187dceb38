"""What an old client expects of a newer server, for tests: its contract kept after the step down, and nothing lost.

A failure is an `AssertionError` that names every violation with its path and value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from stepdown_adapters.contract import model as contracts
from stepdown_adapters.contract.checked import Contract
from stepdown_adapters.contract.keywords import at
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.errors import AdaptError
from stepdown_adapters.integrations.likeness import MOST, differences
from stepdown_adapters.integrations.recordings import Recording
from stepdown_adapters.model import Model
from stepdown_adapters.runtime import MISSING

Same = Literal["contract", "shape", "values"]
"""What a replayed answer has to have in common with the recorded one: the contract only, names and types, or all."""


def assert_contract(
    document: Any,
    contract: str | Path | Mapping[str, Any] | contracts.Contract,
    *,
    folder: str | Path = ".",
    side: Side = "output",
) -> None:
    """Fail with every violation if a document, or the JSON text of one as bytes, breaks a contract.

    `contract` is a reference as `Contract.load` takes it, relative to `folder`, or a contract.

    Raises:
        AssertionError: the report. ContractError: the contract cannot be loaded.
    """
    __tracebackhide__ = True
    if not isinstance(contract, contracts.Contract):
        contract = Contract.load(contract, folder, side=side)
    report = _broken(document, contract)
    if report:
        raise AssertionError(report)


class OldClient:
    """A client of an older version, in front of what a newer version answers."""

    def __init__(self, model: Model, client: str, server: str) -> None:
        """`client` is the version that it was built for, `server` the one that answers.

        Raises `ModelError` where there is no way between them, or no contract to hold answers against.
        """
        self.adapter = model.adapter(server, client)
        self.version = model.version(client)
        self.contract = model.contract(client)

    def __call__(
        self,
        answer: Any,
        *,
        request: Any = MISSING,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The newer version's answer as this client reads it; fails where it cannot be, or breaks its contract.

        The rest is what the adapters may read of the request, as `Adapter` takes it.
        """
        __tracebackhide__ = True
        try:
            document = self.adapter(answer, request=request, params=params, headers=headers)
        except AdaptError as error:
            raise AssertionError(f"the answer cannot be stepped down for {self.version}: {error}") from None
        report = _broken(document, self.contract)
        if report:
            raise AssertionError(f"stepped down for {self.version}, {report}")
        return document

    def asks(self, request: Any) -> Any:
        """The client's request as the newer version gets it; fails where it cannot be stepped up."""
        __tracebackhide__ = True
        try:
            return self.adapter.request(request)
        except AdaptError as error:
            raise AssertionError(f"the request of {self.version} cannot be stepped up: {error}") from None

    def replay(self, recording: Recording, answer: Any | Callable[[Any], Any], *, same: Same = "contract") -> Any:
        """The answer of today to a recorded request, as this client reads it; fails where it expected something else.

        `answer` is the document, or a function that is called with the recorded request, stepped up, and gives it.
        """
        __tracebackhide__ = True
        report = _broken(recording.response, self.contract)
        if report:
            raise AssertionError(f"the recording {recording.name} is none of {self.version}: {report}")
        request = recording.request if recording.has_request else MISSING
        if callable(answer):
            answer = answer(self.asks(request)) if recording.has_request else answer(None)
        document = self(answer, request=request)
        if same == "contract":
            return document
        found = list(islice(differences(recording.response, document, values=same == "values"), MOST))
        if found:
            raise AssertionError(_listed(f"stepped down for {self.version}, it is not as {recording.name} was", found))
        return document


def _broken(document: Any, contract: contracts.Contract) -> str:
    """The report of a document that breaks a contract; empty where it keeps it."""
    found = Contract.of(contract).violations(document, MOST, exact=True)
    lines = []
    for violation in found:
        where = violation.path or "the document"
        lines.append(f"{where} {violation.message}  [{violation.keyword}]{_shown(document, violation.path)}")
    return _listed(f"the document breaks the contract {contract.place}", lines) if lines else ""


def _shown(document: Any, path: str) -> str:
    """The value at a path, where it is short enough to help."""
    try:
        text = repr(at(document, path)) if path else ""
    except (LookupError, ValueError, TypeError):
        return ""
    return f": {text}" if 0 < len(text) <= 80 else ""


def _listed(title: str, lines: Sequence[str]) -> str:
    more = f", the first {MOST} of more" if len(lines) == MOST else ""
    return "\n".join(
        [f"{title} ({len(lines)} difference{'' if len(lines) == 1 else 's'}{more}):", *("  " + line for line in lines)]
    )
