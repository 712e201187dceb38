"""`explain`, `overrides`, `decisions`: who may ask why, who may choose a server, and what is recorded of decisions."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from stepdown.config.file.match import Digest
from stepdown.config.file.model import Secrets
from stepdown.config.file.section import Section, refused
from stepdown.config.file.values import HeaderName, Network, Share, Size

STDOUT = "stdout"


class ExplainSection(Section):
    """Who may ask why a request was routed as it was, with the header `X-Stepdown-Explain: 1`."""

    allow: list[Network] = Field(
        default=[],
        description="Addresses and networks that connections come from, whatever `X-Forwarded-For` says: to allow a "
        "proxy is to allow everybody behind it. Nobody by default.",
    )


class OverrideKeySection(Section):
    """A key whose holders may choose a server."""

    header: HeaderName = Field(description="The header that the key is sent in.")
    sha256: Digest = Field(description="The SHA-256 of the key: the file shows no key.")


class OverrideTokensSection(Section):
    """Signed tokens that expire, made by `stepdown override-token` and sent in `X-Stepdown-Override-Token`."""

    secret: Secrets = Field(
        min_length=1,
        max_length=8,
        description="What tokens are signed with, `{env: NAME}` or `{file: PATH}`, or several of them: the first "
        "signs, all verify, so that one can be replaced.",
    )


class OverridesSection(Section):
    """Who may choose a server with `X-Stepdown-Serve: 2.1.0`; one of the three is enough. Nobody by default."""

    allow: list[Network] = Field(
        default=[],
        description="Addresses and networks that connections come from, whatever `X-Forwarded-For` says: to allow a "
        "proxy is to allow everybody behind it.",
    )
    keys: list[OverrideKeySection] = Field(default=[], description="Holders of these keys.")
    tokens: OverrideTokensSection | None = Field(default=None, description="Holders of a token that is signed.")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.allow or self.keys or self.tokens):
            raise refused("at least one of allow, keys, tokens", problem="found overrides that nobody may ask for")
        return self


class DecisionsSection(Section):
    """Records of a share of all decisions as JSON lines, which `stepdown explain --replay` decides again."""

    file: str = Field(
        min_length=1,
        description="Path of the file, relative to this one, or `stdout`. A file that was renamed is begun anew.",
    )
    sample: Share = Field(default=0.01, gt=0, description="Share of the requests, e.g. `1%`.")
    max_size: Size = Field(
        default=256 * 1024 * 1024,
        ge=64 * 1024,
        description="From this size on the file is renamed to `FILE.1`, over the one before, and a new one is begun.",
    )
    headers: list[HeaderName] = Field(
        default=[],
        description="Header fields that are recorded besides those that decide now: a replay can try rules on them.",
    )
    redact: list[HeaderName] = Field(
        default=[],
        description="Header fields, cookies and query parameters of which a digest is recorded instead of the value. "
        "Those whose name speaks of a secret (`key`, `token`, `session`, ...) need not be named.",
    )
