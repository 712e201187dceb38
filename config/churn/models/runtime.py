"""The two churn models as their team deploys them on MLServer: a custom runtime (`MLModel`) for each version.

The estimators come from the model registry, which verifies them first. Nothing here knows that a sidecar exists.
Version 2 broke every client of version 1: the output `probability` became `score`, its values became logits, and an
output `explanation` was added.
"""

from pathlib import Path

import numpy
import preprocessing
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse, Parameters, ResponseOutput
from preprocessing import COLUMNS

from stepdown.registry import Registry


class Churn(MLModel):
    """What both versions share: one input `x` of shape [customers, 10], and outputs that the caller may choose from."""

    output_names: tuple[str, ...] = ()

    async def load(self) -> bool:
        name, _, version = self.settings.parameters.uri.removeprefix("registry:").partition("/")
        # Trusted: whoever may write to this team's registry may deploy here anyway.
        self.estimator = Registry().load(name, version, trusted=True, preprocessing=Path(preprocessing.__file__))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        customers = preprocessing.customers(payload)
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            parameters=self.about(),
            outputs=[self.answer(name, customers) for name in self._wanted(payload)],
        )

    def about(self) -> Parameters:
        """What is said of the whole answer."""
        return Parameters()

    def answer(self, name: str, customers: numpy.ndarray) -> ResponseOutput:
        """Computes the output `name` for customers of shape [n, 10]."""
        raise NotImplementedError

    def _wanted(self, payload: InferenceRequest) -> tuple[str, ...]:
        if not payload.outputs:
            return self.output_names
        wanted = tuple(output.name for output in payload.outputs)
        for name in wanted:
            if name not in self.output_names:
                raise InferenceError(f"Unknown output '{name}'; the model has: {', '.join(self.output_names)}.")
        return wanted


class ChurnProbability(Churn):
    """Version 1: a logistic regression that answers the `probability` that a customer leaves."""

    output_names = ("probability",)

    def about(self) -> Parameters:
        return Parameters(threshold=0.5)

    def answer(self, name: str, customers: numpy.ndarray) -> ResponseOutput:
        leaves = self.estimator.predict_proba(customers)[:, 1:]
        return NumpyCodec.encode_output(name, leaves)


class ChurnScore(Churn):
    """Version 2: boosted trees that answer a `score` (a logit) and an `explanation` of it.

    The explanation says, for each column, how far the score moves when that column alone is set to its usual value.
    `parameters.extra.score_datatype: BYTES` deploys a build that writes the score as text: the mistake of a late
    evening, which the demo makes on purpose.
    """

    output_names = ("score", "explanation")

    async def load(self) -> bool:
        await super().load()
        self.score_is_text = (self.settings.parameters.extra or {}).get("score_datatype") == "BYTES"
        return True

    def answer(self, name: str, customers: numpy.ndarray) -> ResponseOutput:
        if name == "explanation":
            return NumpyCodec.encode_output(name, self._explain(customers))
        score = self._score(customers)
        if self.score_is_text:
            return StringCodec.encode_output(name, [f"logit {value:+.2f}" for value in score])
        return NumpyCodec.encode_output(name, score[:, None])

    def _score(self, customers: numpy.ndarray) -> numpy.ndarray:
        return self.estimator["trees"].decision_function(customers)

    def _explain(self, customers: numpy.ndarray) -> numpy.ndarray:
        usual = self.estimator["usual"]
        effects = numpy.empty(customers.shape)
        for column in range(COLUMNS):
            changed = customers.copy()
            changed[:, column] = usual[column]
            effects[:, column] = self._score(customers) - self._score(changed)
        return effects
