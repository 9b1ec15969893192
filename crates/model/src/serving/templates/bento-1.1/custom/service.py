"""Answers POST /predict with the files that pack.py stored."""

import json

import bentoml
from bentoml.io import JSON

stored = bentoml.models.get("predictor:latest")


class Predictor(bentoml.Runnable):
    SUPPORTED_RESOURCES = ("cpu",)
    SUPPORTS_CPU_MULTI_THREADING = True

    def __init__(self) -> None:
        with open(stored.path_of("model.json")) as file:
            self.model = json.load(file)

    @bentoml.Runnable.method(batchable=False)
    def predict(self, x):
        return {"model": self.model, "x": x}


runner = bentoml.Runner(Predictor, models=[stored])
svc = bentoml.Service("predictor", runners=[runner])


# The request's body: any JSON
@svc.api(input=JSON(), output=JSON())
async def predict(x):
    return await runner.predict.async_run(x)
