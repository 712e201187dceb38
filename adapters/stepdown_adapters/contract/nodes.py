"""Places in an OpenAPI document, each of which may stand for another place by `$ref`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.contract.documents import Documents, File
from stepdown_adapters.contract.keywords import pointer
from stepdown_adapters.errors import ContractError

_MOST_STEPS = 16


@dataclass(frozen=True, slots=True)
class Node:
    """An object of a document, with where it stands."""

    documents: Documents
    file: File
    at: str
    members: dict[str, Any]

    @property
    def place(self) -> str:
        """`file#pointer`, for people."""
        return self.file.place(self.at)

    def child(self, name: str) -> Node | None:
        """The object that is a member, or what that refers to; `None` where there is no such member.

        Raises:
            ContractError: the member is no object, or refers to nowhere.
        """
        if name not in self.members:
            return None
        return _followed(self.documents, self.file, self.at + pointer(name), self.members[name])

    def children(self) -> Iterator[tuple[str, Node]]:
        """The members that are no extensions (`x-...`); raises as `child` does."""
        for name in self.members:
            child = None if name.startswith("x-") else self.child(name)
            if child is not None:
                yield name, child


def root(documents: Documents) -> Node:
    """The whole of the first document."""
    return _followed(documents, documents.first, "", documents.first.value)


def _followed(documents: Documents, file: File, at: str, value: Any) -> Node:
    start = file.place(at)
    for _ in range(_MOST_STEPS):
        if not isinstance(value, dict):
            raise ContractError(file.place(at), "is an object")
        if "$ref" not in value:
            return Node(documents, file, at, value)
        file, at = documents.resolved(file, at, value["$ref"])
        value = file.at(at)
    raise ContractError(start, f"refers on and on, for more than {_MOST_STEPS} steps")
