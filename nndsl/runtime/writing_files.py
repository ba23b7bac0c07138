"""Callbacks of emitted programs write by themselves, with torch, h5py or TensorFlow: each fails in a way of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from nndsl.files import CannotWrite, writing

FILES = "the files of callbacks"
"""What they are called where an error names none of them."""
_OF_TORCH = re.compile("PytorchStreamWriter|inline_container|Parent directory")


@contextmanager
def writing_files() -> Iterator[None]:
    """While callbacks are at work that may write. Raises CannotWrite where they cannot: the disk is full, say."""
    try:
        with writing(FILES):
            yield
    except Exception as error:
        of_tensorflow = any(base.__name__ == "OpError" for base in type(error).__mro__)  # TensorBoard's, too
        if not (of_tensorflow or (isinstance(error, RuntimeError) and _OF_TORCH.search(str(error)))):
            raise
        raise CannotWrite(f"{FILES} cannot be written: {str(error).splitlines()[0][:200]}") from None
