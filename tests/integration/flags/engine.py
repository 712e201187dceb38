"""Runs inside of an engine's own environment: evaluates a batch of flags with the OpenFeature provider in file mode.

    python engine.py FLAGS.json < QUESTIONS > ANSWERS

Questions are a JSON list of `[kind, flag, context, default]`; answers a list of `[value, variant, reason, error code]`.
It imports nothing of Stepdown: it is there to disagree.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext


def answers(flags: str, questions: list[Any]) -> list[Any]:
    logging.getLogger("openfeature").setLevel(logging.CRITICAL)
    # The deadline is also how often the file is looked at again, which nobody needs here.
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=flags, deadline_ms=60_000)
    api.set_provider_and_wait(provider)
    client = api.get_client()
    asks = {
        "boolean": client.get_boolean_details,
        "string": client.get_string_details,
        "integer": client.get_integer_details,
        "float": client.get_float_details,
        "object": client.get_object_details,
    }
    given = []
    for kind, flag, context, default in questions:
        attributes = {name: value for name, value in context.items() if name != "targetingKey"}
        details = asks[kind](flag, default, EvaluationContext(context.get("targetingKey"), attributes))
        code = details.error_code.value if details.error_code is not None else None
        given.append([details.value, details.variant, str(details.reason and details.reason.value), code])
    return given


if __name__ == "__main__":
    output, sys.stdout = sys.stdout, sys.stderr  # the operator `log` prints
    json.dump(answers(sys.argv[1], json.load(sys.stdin)), output)
    output.flush()
