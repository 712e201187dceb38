"""The same work said in expression languages for JSON: JSONata by two libraries, and JMESPath.

Each is used as its documentation says: an expression is parsed once and evaluated on what orjson decoded. Both
languages build a new document rather than edit one, so that the members which stay must be named; JSONata's own
operator for edits costs more still. JMESPath has no arithmetic, which is added as it allows: by functions in Python.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from bench.adapters.chain import sigmoid

ENVIRONMENT = Path(__file__).parents[2] / ".envs/expressions"
"""Where `make bench-adapters` installs the libraries."""

LIBRARIES = ("jsonata-python", "jsonata2py", "jmespath")

JSONATA = """{
  "id": id,
  "predictions": predictions.{
    "id": id,
    "label": $lookup({"will_leave": "churn", "will_stay": "stay", "unsure": "stay"}, label),
    "score": 1 / (1 + $power(2.718281828459045, -logit))
  },
  "usage": {"rows": usage.rows, "cache": usage.cache, "seconds": usage.milliseconds * 0.001},
  "model_version": "v1",
  "model_name": model.name
}"""

JMESPATH = """{
  id: id,
  predictions: predictions[].{
    id: id,
    label: label == 'will_leave' && 'churn' || 'stay',
    score: sigmoid(logit)
  },
  usage: {rows: usage.rows, cache: usage.cache, seconds: times(usage.milliseconds, `0.001`)},
  model_version: 'v1',
  model_name: model.name
}"""


def installed() -> dict[str, Callable[[bytes], bytes]]:
    """A function from body to body for each library, under its name; empty where they are not installed."""
    found = dict(_functions()) if _reach() else {}
    return {name: _between_bytes(evaluate) for name, evaluate in found.items()}


def versions() -> str:
    """Which libraries are installed, as the end of a sentence; empty where none is."""
    named = [f", {name} {importlib.metadata.version(name)}" for name in LIBRARIES] if _reach() else []
    return "".join(named)


def _reach() -> bool:
    """Let the libraries be imported, after all that the project has itself."""
    packages = [str(folder) for folder in ENVIRONMENT.glob("lib/python*/site-packages")]
    sys.path += [folder for folder in packages if folder not in sys.path]
    return bool(packages)


def _functions() -> Iterator[tuple[str, Callable[[Any], Any]]]:
    yield "jsonata-python", importlib.import_module("jsonata").Jsonata(JSONATA).evaluate
    yield "jsonata2py", importlib.import_module("jsonata2py").compile(JSONATA).evaluate
    yield "jmespath", _jmespath()


def _jmespath() -> Callable[[Any], Any]:
    library: Any = importlib.import_module("jmespath")
    functions: Any = importlib.import_module("jmespath.functions")
    number = {"types": ["number"]}

    class Arithmetic(functions.Functions):  # type: ignore[misc] # the library is not there when types are checked
        @functions.signature(number)  # type: ignore[untyped-decorator]
        def _func_sigmoid(self, logit: float) -> float:
            return sigmoid(logit)

        @functions.signature(number, number)  # type: ignore[untyped-decorator]
        def _func_times(self, value: float, factor: float) -> float:
            return value * factor

    expression = library.compile(JMESPATH)
    options = library.Options(custom_functions=Arithmetic())
    return lambda document: expression.search(document, options)


def _between_bytes(evaluate: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    return lambda body: orjson.dumps(evaluate(orjson.loads(body)))
