"""The callbacks of an emitted Keras program, at work in a loop that is not Keras's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

_PLACES = {"ModelCheckpoint": "filepath", "CSVLogger": "filename", "TensorBoard": "log_dir"}
"""The attribute in which a callback has the file or folder that it writes."""
_BETTER = {"less": keras.ops.less, "greater": keras.ops.greater}
_NOT_KEPT = ("_model", "params")
_SIZE = "size of the table"


class Watchers:
    """The program's callbacks."""

    def __init__(self, program: Any, model: Any) -> None:
        self.model = model
        made = program.make_callbacks() if hasattr(program, "make_callbacks") else []
        self.all = [Writer(callback) if type(callback).__name__ in _PLACES else Watcher(callback) for callback in made]
        for watcher in self.all:
            watcher.callback.set_model(model)
        self.epoch, self.inside = 0, False  # whether the epoch has begun
        self.begun = False
        self._waiting: list[dict[str, Any]] | None = None

    def write_below(self, folder: str) -> None:
        """Has those that write do so in a folder, from the beginning."""
        for watcher in self.all:
            if isinstance(watcher, Writer):
                watcher.path = os.path.join(folder, watcher.path)

    def before_step(self) -> None:
        if not self.all or (self.begun and self.inside):
            return
        self._begin()
        if not self.inside:
            for watcher in self.all:
                watcher.callback.on_epoch_begin(self.epoch)
            self.inside = True

    def after_epoch(self, epoch: int, logs: dict[str, float], *, write: bool = True) -> bool:
        """Whether one of them ends training. Those that write are left out where steps are only taken again."""
        self._begin()
        self.model.stop_training = False
        for watcher in self.all:
            if write or not isinstance(watcher, Writer):
                watcher.callback.on_epoch_end(epoch, logs)
        self.epoch, self.inside = epoch + 1, False
        return bool(self.model.stop_training)

    def after_training(self) -> None:
        self._begin()
        for watcher in self.all:
            watcher.callback.on_train_end()

    def _begin(self) -> None:
        """Lets them begin, at the last moment: a model that is only asked writes nothing."""
        if self.begun:
            return
        self.begun = True
        waiting, self._waiting = self._waiting, None
        for number, watcher in enumerate(self.all):
            watcher.prepare(None if waiting is None else waiting[number])
            watcher.callback.on_train_begin()
        if waiting is not None:
            self._put(waiting)

    def state(self) -> dict[str, Any]:
        kept = [watcher.state() for watcher in self.all] if self.begun else self._waiting
        return {"epoch": self.epoch, "inside": self.inside, "kept": kept}

    def put_state(self, state: Mapping[str, Any]) -> None:
        self.epoch, self.inside = state["epoch"], state["inside"]
        if not self.begun:
            self._waiting = state["kept"]
        elif state["kept"] is not None:
            self._put(state["kept"])
        else:
            for watcher in self.all:
                if not isinstance(watcher, Writer):
                    watcher.callback.on_train_begin()

    def _put(self, kept: list[dict[str, Any]]) -> None:
        for watcher, state in zip(self.all, kept, strict=True):
            watcher.put_state(state)


class Watcher:
    """One callback."""

    def __init__(self, callback: Any) -> None:
        self.callback = callback

    def state(self) -> dict[str, Any]:
        """What it has seen: its plain attributes, and which comparison it makes."""
        found = {}
        for name, value in vars(self.callback).items():
            better = next((key for key, function in _BETTER.items() if value is function), None)
            if better is not None:
                found[name] = {"better": better}
            elif name not in _NOT_KEPT and _is_plain(value):
                found[name] = value
        return found

    def put_state(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            match value:
                case {"better": name_of}:
                    value = _BETTER[name_of]
            setattr(self.callback, name, value)

    def prepare(self, state: Mapping[str, Any] | None) -> None:
        """Before it begins; `state` is what it had seen, in a run that goes on."""


class Writer(Watcher):
    """One that writes, to `path`."""

    @property
    def path(self) -> str:
        return str(getattr(self.callback, _PLACES[type(self.callback).__name__]))

    @path.setter
    def path(self, path: str) -> None:
        setattr(self.callback, _PLACES[type(self.callback).__name__], path)

    def state(self) -> dict[str, Any]:
        if isinstance(self.callback, keras.callbacks.CSVLogger):
            size = os.path.getsize(self.path) if os.path.exists(self.path) else 0
            return {"keys": self.callback.keys, _SIZE: size}
        found = super().state()
        del found[_PLACES[type(self.callback).__name__]]  # the folder may have moved
        return found

    def put_state(self, state: Mapping[str, Any]) -> None:
        super().put_state({name: value for name, value in state.items() if name != _SIZE})

    def prepare(self, state: Mapping[str, Any] | None) -> None:
        """Makes the folder of a table, which goes on behind the last row that the run knows of."""
        if not isinstance(self.callback, keras.callbacks.CSVLogger):
            return
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        if state is None:
            return
        self.callback.append = True
        if os.path.exists(self.path) and os.path.getsize(self.path) > state[_SIZE]:
            os.truncate(self.path, state[_SIZE])


def _is_plain(value: Any) -> bool:
    match value:
        case None | bool() | int() | float() | str() | np.ndarray() | np.generic():
            return True
        case list() | tuple():
            return all(map(_is_plain, value))
        case dict():
            return all(map(_is_plain, value.values()))
    return False
