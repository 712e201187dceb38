"""From a request to what the estimators read. The registry keeps this file's hash with every version of the model:
an estimator that is rolled back to, while this has moved on, would answer wrongly without any error."""

import numpy
from mlserver.codecs import NumpyCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest

COLUMNS = 10


def customers(payload: InferenceRequest) -> numpy.ndarray:
    """The customers that a request asks about, of shape [n, 10], in the columns' order of the training."""
    if [tensor.name for tensor in payload.inputs] != ["x"]:
        raise InferenceError("The model reads one input, named 'x'.")
    rows = NumpyCodec.decode_input(payload.inputs[0])
    if rows.ndim != 2 or rows.shape[1] != COLUMNS:
        raise InferenceError(f"Input 'x' has shape {list(rows.shape)}; the model reads [n, {COLUMNS}].")
    return rows
