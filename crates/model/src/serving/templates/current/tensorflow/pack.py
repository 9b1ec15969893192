"""Puts the trained model into BentoML's store. An arrow mounts the model at /model: adapt the file's name."""

# Not tried here: this template's library is not among the Python programs that Fletchline installs.
# Set `python` in the settings to an environment that has it and BentoML.

import bentoml
import tensorflow as tf

# A SavedModel folder, written by tf.saved_model.save(model, path) or model.export(path).
model = tf.saved_model.load("/model/model")
print("saved", bentoml.tensorflow.save_model("predictor", model))
