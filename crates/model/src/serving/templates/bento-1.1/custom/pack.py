"""Copies whatever the service needs into BentoML's store. An arrow mounts the model at /model."""

import shutil

import bentoml

with bentoml.models.create(
    "predictor",
    module=__name__,
    signatures={},
    context=bentoml.models.ModelContext(framework_name="custom", framework_versions={}),
) as stored:
    shutil.copytree("/model", stored.path, dirs_exist_ok=True)
    print("saved", stored.tag)
