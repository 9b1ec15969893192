"""Puts the trained model into BentoML's store. An arrow mounts the model at /model: adapt the file's name."""

# Not tried here: this template's library is not among the Python programs that Fletchline installs.
# Set `python` in the settings to an environment that has it and BentoML.

import bentoml
import xgboost

model = xgboost.Booster()
model.load_model("/model/model.json")
print("saved", bentoml.xgboost.save_model("predictor", model, signatures={"predict": {"batchable": True}}))
