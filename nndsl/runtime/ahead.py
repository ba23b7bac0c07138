"""Batches that are made while the ones before are worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from nndsl.runtime.engine import Batch

AHEAD = 4
"""How many batches wait for the device."""


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, made in a thread while the ones before are worked on."""
    made: queue.Queue[Batch | BaseException | None] = queue.Queue(AHEAD)
    stop = threading.Event()

    def put(item: Batch | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                made.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        try:
            for batch in batches:
                if not put(batch):
                    return
            put(None)
        except BaseException as error:  # it is raised where the batch is asked for
            put(error)

    thread = threading.Thread(target=make, name="nndsl-data", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()
