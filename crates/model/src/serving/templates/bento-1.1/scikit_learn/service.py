"""Answers POST /predict with the model that pack.py stored."""

import bentoml
import numpy as np
from bentoml.io import NumpyNdarray

runner = bentoml.sklearn.get("predictor:latest").to_runner()
svc = bentoml.Service("predictor", runners=[runner])


# The request's body: [[...], ...]
@svc.api(input=NumpyNdarray(), output=NumpyNdarray())
async def predict(x: np.ndarray) -> np.ndarray:
    return await runner.predict.async_run(x)
