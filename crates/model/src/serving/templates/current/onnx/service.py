"""Answers POST /predict with the model that pack.py stored."""

# Not tried here: this template's library is not among the Python programs that Fletchline installs.
# Set `python` in the settings to an environment that has it and BentoML.

import bentoml
import numpy as np


@bentoml.service(name="predictor", workers=1, traffic={"timeout": 30})
class Predictor:
    # On the class, so that the model becomes part of what is built.
    stored = bentoml.models.BentoModel("predictor:latest")

    def __init__(self) -> None:
        self.model = bentoml.onnx.load_model(self.stored)

    # The request's body: {"x": [[...], ...]}
    @bentoml.api
    def predict(self, x: np.ndarray) -> np.ndarray:
        name = self.model.get_inputs()[0].name
        return self.model.run(None, {name: x.astype("float32")})[0]
