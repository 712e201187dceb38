"""`cookie` of a route's key: one that clients bring, or one that Stepdown sets for those who have none."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from stepdown.config.file.model import Secrets
from stepdown.config.file.section import Section, refused
from stepdown.config.file.values import CookieName, CookiePath, Date, Host, Lifetime

_SHOWN = "name, secrets, and ttl or until"


class CookieSection(Section):
    """A cookie as a key; a plain name is short for `{name: NAME}`."""

    name: CookieName = Field(description="Its name.")
    set_by_stepdown: bool = Field(
        default=False,
        alias="set",
        description="Stepdown sets it, with a random id that it signs, for clients that have no key; no other value "
        "counts. Needs `secrets`, and `ttl` or `until`.",
    )
    secrets: Annotated[Secrets, Field(max_length=4)] = Field(
        default=[], description="What signs it: the first. What an older one signed is taken, and signed anew."
    )
    ttl: Lifetime | None = Field(
        default=None, gt=0, description="From its first answer to its end, such as `30d`; at most 400 days."
    )
    until: Date | None = Field(
        default=None, description="When the experiment ends: it is not set any more, and none counts."
    )
    secure: bool = Field(default=True, description="Browsers send it over HTTPS only.")
    same_site: Literal["Lax", "Strict", "None"] = Field(
        default="Lax", description="Whether it comes with requests from other sites' pages."
    )
    path: CookiePath = Field(default="/", description="Where under the host it is sent.")
    domain: Host | None = Field(default=None, description="Also for the hosts below this one; else its host alone.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        stray = sorted(self.model_fields_set - {"name", "set_by_stepdown"})
        if not self.set_by_stepdown:
            if stray:
                raise refused("set: true with it, or the name alone", problem=f"found {stray[0]} without set: true")
            return self
        if not self.secrets:
            raise refused("secrets: {env: NAME} or {file: PATH}", problem="found set: true without secrets")
        if self.ttl is None and self.until is None:
            raise refused(_SHOWN, problem="found set: true without ttl or until: it would never end")
        self._check_attributes()
        return self

    def _check_attributes(self) -> None:
        """What browsers refuse without a word (RFC 6265bis, sections 4.1.3 and 5.7)."""
        prefix = next((one for one in ("__Host-", "__Secure-") if self.name.startswith(one)), None)
        if not self.secure and (self.same_site == "None" or prefix):
            what = prefix or "same_site: None"
            raise refused("secure: true", problem=f"found secure: false with {what}, which browsers refuse")
        if prefix == "__Host-" and (self.path != "/" or self.domain is not None):
            raise refused(
                "path: / and no domain", problem="found a path or a domain with __Host-, which browsers refuse"
            )


def _from_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Cookie = Annotated[CookieSection, BeforeValidator(_from_name, json_schema_input_type=CookieName | CookieSection)]
