"""Requests as decisions see them: a method, a path, a host and fields."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Request:
    """Satisfies `decide.facts.Facts`; the names of `fields` are lower case."""

    method: bytes = b"POST"
    path: bytes = b"/infer"
    query: bytes = b""
    host: bytes = b"models.example.com:8080"
    fields: dict[bytes, bytes] = field(default_factory=dict)

    def get(self, name: bytes, /) -> bytes | None:
        return self.fields.get(name)


def request(
    path: str = "/infer", *, method: str = "POST", host: str = "models.example.com:8080", **fields: str
) -> Request:
    """`request("/x", x_user_id="7")`: underscores in names of fields stand for hyphens."""
    encoded = {name.replace("_", "-").encode(): value.encode() for name, value in fields.items()}
    return Request(method.encode(), path.encode(), b"", host.encode(), encoded)
