"""Short ways to flags and their evaluations."""

from __future__ import annotations

from typing import Any

from stepdown.decide.flags import Evaluation, FlagSet, compile_flags
from stepdown.decide.flags.compiler import Compiler
from stepdown.decide.flags.nodes import Run

NOW = 1_700_000_000


def one_flag(targeting: Any, *variants: str, default: Any = "fallback", **more: Any) -> dict[str, Any]:
    """A file with the flag `flag`; each variant's value is its name in capitals."""
    names = [*variants, "fallback"]
    flag = {"state": "ENABLED", "variants": {name: name.upper() for name in names}, "defaultVariant": default}
    return {"flags": {"flag": {**flag, "targeting": targeting, **more}}}


def compiled(targeting: Any, *variants: str, key: str = "flag", generation: int = 2, **more: Any) -> FlagSet:
    [flag] = one_flag(targeting, *variants, **more)["flags"].values()
    return compile_flags({"flags": {key: flag}}, fractional=generation)


def evaluated(flags: FlagSet, default: Any = None, /, *, key: str = "flag", **context: Any) -> Evaluation:
    return flags.evaluate(key, context, default, now=NOW)


def computed(expression: Any, **context: Any) -> Any:
    """What a JSONLogic expression makes of a context; raises whatever it raises."""
    return Compiler("flag", {}, 2).compile(expression, ()).compute(context, Run(NOW))
