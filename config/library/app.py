"""A churn model behind FastAPI that speaks version 2, and keeps the clients of version 1.

Run it with `uvicorn --app-dir config/library app:app`.
"""

from pathlib import Path
from typing import Literal

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from stepdown_adapters.integrations.asgi import StepDown

app = FastAPI(title="churn", version="2.0.0")
app.add_middleware(
    StepDown,
    model=Path(__file__).with_name("churn.yaml"),
    served="2.0.0",
    paths=["/predict"],
)


class Customer(BaseModel):
    customer_id: str
    months: int = Field(ge=0)


class Prediction(BaseModel):
    logit: float
    label: Literal["churn", "stay"]
    explanation: list[str]


@app.post("/predict")
def predict(customer: Customer) -> Prediction:
    if customer.customer_id == "nobody":
        raise HTTPException(404, "there is no such customer")
    logit = 1.5 - customer.months / 12
    reason = "a customer for less than a year" if customer.months < 12 else "a customer for a year or more"
    return Prediction(logit=logit, label="churn" if logit > 0 else "stay", explanation=[reason])
