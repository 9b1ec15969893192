"""Answers POST /predict with the model that pack.py stored."""

# Not tried here: this template's library is not among the Python programs that Fletchline installs.
# Set `python` in the settings to an environment that has it and BentoML.

import bentoml
import numpy as np
import torch
from bentoml.io import NumpyNdarray

runner = bentoml.pytorch.get("predictor:latest").to_runner()
svc = bentoml.Service("predictor", runners=[runner])


# The request's body: [[...], ...]
@svc.api(input=NumpyNdarray(), output=NumpyNdarray())
async def predict(x: np.ndarray) -> np.ndarray:
    result = await runner.async_run(torch.from_numpy(x).float())
    return result.numpy()
