import contextlib
from collections.abc import Iterator

from tensorflow import keras


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Has the layers that are made meanwhile compute so."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
