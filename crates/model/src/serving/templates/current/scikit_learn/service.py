"""Answers POST /predict with the model that pack.py stored."""

import bentoml
import numpy as np


@bentoml.service(name="predictor", workers=1, traffic={"timeout": 30})
class Predictor:
    # On the class, so that the model becomes part of what is built.
    stored = bentoml.models.BentoModel("predictor:latest")

    def __init__(self) -> None:
        self.model = bentoml.sklearn.load_model(self.stored)

    # The request's body: {"x": [[...], ...]}
    @bentoml.api
    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict(x)
