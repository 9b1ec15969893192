"""Copies whatever the service needs into BentoML's store. An arrow mounts the model at /model."""

import shutil

import bentoml

with bentoml.models.create("predictor") as stored:
    shutil.copytree("/model", stored.path, dirs_exist_ok=True)
    print("saved", stored.tag)
