"""Puts the trained model into BentoML's store. An arrow mounts the model at /model: adapt the file's name."""

# Not tried here: this template's library is not among the Python programs that Fletchline installs.
# Set `python` in the settings to an environment that has it and BentoML.

import bentoml
import torch

# Saved by torch.save(model, path); a state dict needs your class and load_state_dict() here.
model = torch.load("/model/model.pt", map_location="cpu", weights_only=False)
model.eval()
print("saved", bentoml.pytorch.save_model("predictor", model))
