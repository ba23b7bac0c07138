"""TensorFlow in this process: which backend Keras takes, which devices there are, and which one computes."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Read when they are imported. The emitted programs are written for this backend.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

_CHATTER = ("I0000 ", "WARNING: All log messages before absl::InitializeLog()")


@contextmanager
def _without_chatter() -> Iterator[None]:
    """TensorFlow says at its start what it found, whatever level is asked for: errors alone are of interest."""
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)
            said.seek(0)
            for line in said.read().decode(errors="replace").splitlines(keepends=True):
                if not line.startswith(_CHATTER):
                    sys.stderr.write(line)


with _without_chatter():
    import keras
    import tensorflow as tf


class WrongBackend(Exception):
    """Keras is at work already in this process, with another backend."""


class Taken(Exception):
    """TensorFlow is at work already in this process, on other devices."""


def gpus() -> int:
    """How many GPUs TensorFlow sees. Raises WrongBackend."""
    if keras.backend.backend() != "tensorflow":
        raise WrongBackend(keras.backend.backend())
    return len(tf.config.list_physical_devices("GPU"))


def use(gpu: int | None) -> None:
    """From now on all is computed on this GPU, or on the CPU, where every operation gives the same bits again. Raises
    Taken."""
    found = tf.config.list_physical_devices("GPU")
    chosen = [] if gpu is None else [found[gpu]]
    try:
        tf.config.set_visible_devices(chosen, "GPU")
        for device in chosen:
            tf.config.experimental.set_memory_growth(device, True)
    except (RuntimeError, ValueError):  # it has begun to work
        if tf.config.get_visible_devices("GPU") != chosen:
            raise Taken from None
    if gpu is None:  # a GPU has no such code for some operations
        tf.config.experimental.enable_op_determinism()
