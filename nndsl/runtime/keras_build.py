"""The emitted Keras program made ready for training. No torch is needed for it."""

from __future__ import annotations

from functools import partial

from nndsl.interop import workers
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.runtime.engines import Built
from nndsl.runtime.loop import Plan
from nndsl.runtime.lost import lost
from nndsl.runtime.options import Options
from nndsl.runtime.report import Unavailable
from nndsl.targets.keras import emit_keras


def build_keras(program: CheckedProgram, model: Model, options: Options, plan: Plan) -> Built:
    """Raises Unavailable, nndsl.interop.workers.FrameworkMissing."""
    workers.require("keras")
    gpu = _device(options.device)
    from nndsl.runtime.keras_engine import KerasEngine, Watched

    text = emit_keras(program, model.name)

    def engine(seed: int) -> KerasEngine:
        return KerasEngine(
            model, text, seed=seed, batch=plan.batch, gpu=gpu is not None, compiled=options.compile
        )  # fmt: skip

    return Built(text, "cpu" if gpu is None else f"cuda:{gpu}", engine, partial(lost, watched=Watched))


def _device(name: str) -> int | None:
    """Has TensorFlow compute on a device: the number of its GPU, None for the CPU. Raises Unavailable."""
    from nndsl.interop import keras_device

    try:
        count = keras_device.gpus()
        gpu = _picked(name, count)
        keras_device.use(gpu)
    except keras_device.WrongBackend as error:
        raise Unavailable(
            f"Keras is at work in this process with {error}, and the emitted programs need TensorFlow",
            "set KERAS_BACKEND=tensorflow before Keras is imported",
        ) from None
    except keras_device.Taken:
        raise Unavailable(
            f"TensorFlow is at work in this process on other devices than `{name}`", "begin a process of its own"
        ) from None
    return gpu


def _picked(name: str, count: int) -> int | None:
    if name == "cpu" or (name == "auto" and not count):
        return None
    if name == "mps":
        raise Unavailable("TensorFlow does not know the device `mps`", "take `--device auto`, or `--target torch`")
    number = int(name.partition(":")[2] or 0) if name != "auto" else 0
    if not count:
        raise Unavailable(
            f"the device `{name}` is not there: TensorFlow sees no GPU",
            "take `--device cpu`, or install TensorFlow for GPUs: pip install 'tensorflow[and-cuda]'",
        )
    if number >= count:
        found = "one GPU alone, `cuda:0`" if count == 1 else f"`cuda:0` to `cuda:{count - 1}`"
        raise Unavailable(f"the device `{name}` is not there", f"TensorFlow sees {found}")
    return number
