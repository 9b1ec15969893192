"""Puts the trained model into BentoML's store. An arrow mounts the model at /model: adapt the file's name."""

import bentoml
import joblib

model = joblib.load("/model/model.joblib")
print("saved", bentoml.sklearn.save_model("predictor", model))
