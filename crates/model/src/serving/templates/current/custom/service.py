"""Answers POST /predict with the files that pack.py stored."""

import json
from typing import Any

import bentoml


@bentoml.service(name="predictor", workers=1, traffic={"timeout": 30})
class Predictor:
    # On the class, so that the files become part of what is built.
    stored = bentoml.models.BentoModel("predictor:latest")

    def __init__(self) -> None:
        with open(self.stored.path_of("model.json")) as file:
            self.model = json.load(file)

    # The request's body: {"x": ...}
    @bentoml.api
    def predict(self, x: Any) -> Any:
        return {"model": self.model, "x": x}
