"""The trial of TensorFlow and Keras: a product and its gradient on every device, then a step of an emitted program.

KERAS_BACKEND is "tensorflow" here, as in all that nndsl starts; what the user has set is told elsewhere.
"""

from __future__ import annotations

import os
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"  # read when keras is imported

import keras
import numpy as np
import tensorflow as tf

from nndsl.interop.doctor.worker import Desk


def work(desk: Desk) -> None:
    built: dict[str, Any] = tf.sysconfig.get_build_info()
    cuda = built.get("cuda_version") if built.get("is_cuda_build") else None
    desk.found(version=tf.__version__, keras=keras.__version__, built_for=cuda, devices=[])
    desk.stage("computing with tensorflow")
    _compute("/CPU:0")
    desk.found(computes=True, threads=tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count())
    if desk.request.get("program"):
        desk.stage("training a model with keras")
        with tf.device("/CPU:0"):
            _train(desk)
    desk.stage("looking for GPUs with tensorflow")
    for number, device in enumerate(tf.config.list_physical_devices("GPU")):
        desk.stage(f"computing on GPU:{number} with tensorflow")
        details = tf.config.experimental.get_device_details(device)
        found = {"name": f"GPU:{number}", "is": str(details.get("device_name", device.name))}
        desk.answer["devices"].append(found | {"error": _error(f"/GPU:{number}")})


def _error(device: str) -> str:
    """Why a device does not compute, "" where it does."""
    try:
        _compute(device)
    except Exception as error:
        return f"{type(error).__name__}: {error}".strip().split("\n")[0][:300]
    return ""


def _compute(device: str) -> None:
    with tf.device(device), tf.GradientTape() as tape:
        x = tf.reshape(tf.range(6.0), (2, 3))
        tape.watch(x)
        y = tf.reduce_sum(tf.matmul(x, x, transpose_b=True))
    if tape.gradient(y, x).numpy().tolist() != [[6.0, 10.0, 14.0]] * 2:
        raise ArithmeticError("a product has a wrong gradient")


def _train(desk: Desk) -> None:
    given = desk.request
    program: Any = desk.load(given["program"])
    model = program.build_model()
    for name, kernel in given["kernels"].items():
        model.get_layer(name).set_weights([np.array(kernel), np.array(given["biases"][name])])
    data = {name: np.array(given[name], np.float32) for name in ("x", "y")}
    before = np.asarray(model(data["x"])["y"]).tolist()
    program.train(model, data, epochs=1, batch_size=len(data["x"]))
    desk.found(before=before, after=np.asarray(model(data["x"])["y"]).tolist())
