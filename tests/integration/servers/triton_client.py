"""Asks for v1's output through `tritonclient`, whose own environment this runs in: ADDRESS ROWS -> probabilities."""

import json
import sys

import numpy
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

rows = numpy.array(json.loads(sys.argv[2]))
client = InferenceServerClient(sys.argv[1])
assert client.is_model_ready("churn")
question = InferInput("x", list(rows.shape), "FP64")
question.set_data_from_numpy(rows, binary_data=False)
answer = client.infer("churn", [question], outputs=[InferRequestedOutput("probability", binary_data=False)])
assert answer.get_output("probability")["datatype"] == "FP64"
print(json.dumps(answer.as_numpy("probability").tolist()))
