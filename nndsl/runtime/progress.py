"""What training shows: a bar on a terminal, plain lines elsewhere, nothing with `--quiet`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from nndsl.diagnostics.terminal import visible

REFRESH = 0.2
"""Seconds between two pictures of the bar; each costs one look at the losses."""


class Progress:
    """`weights` are those of the outputs' losses by the names of the logs: such a loss is shown with its weight."""

    def __init__(self, stream: TextIO, *, quiet: bool = False, weights: Mapping[str, float] | None = None) -> None:
        self.stream, self.quiet, self.weights = stream, quiet, weights or {}
        self.terminal = not quiet and stream.isatty()
        self._shown = 0

    def start(self, unit: str, count: int, steps: int, before: int = 0) -> None:
        """`unit` is "epoch" or "step", `count` how many there are, `steps` how many steps in all, of which an earlier
        process has done some before."""
        self.unit, self.count, self.steps, self.before = unit, count, steps, before
        self.begun = self.last = time.monotonic()
        self.samples = 0

    def due(self) -> bool:
        """Whether it is time for a look at the numbers."""
        return time.monotonic() - self.last >= REFRESH

    def add(self, samples: int) -> None:
        """After each step."""
        self.samples += samples

    def step(self, done: int, number: int, share: float, logs: Callable[[], Mapping[str, float]]) -> None:
        """A new picture: `done` steps in all, `number` of the unit, of which a `share` is done."""
        self.last = now = time.monotonic()
        values = logs()
        if self.terminal:
            rate = self.samples / max(now - self.begun, 1e-9)
            left = (now - self.begun) / (done - self.before) * (self.steps - done)
            bar = "━" * round(20 * share) + "─" * (20 - round(20 * share))
            self._draw(f"{self._title(number)} {bar} {self._numbers(values)}  {rate:,.0f}/s  {_clock(left)} left")

    def line(self, number: int, values: Mapping[str, float]) -> None:
        """At the end of an epoch, or after `evaluate_every` steps."""
        if self.quiet:
            return
        seconds = max(time.monotonic() - self.begun, 1e-9)
        self.say(f"{self._title(number)}  {self._numbers(values)}  {self.samples / seconds:,.0f}/s")

    def say(self, text: str) -> None:
        """A line that stays."""
        if not self.quiet:
            self.clear()
            self.stream.write(visible(text) + "\n")
            self.stream.flush()

    def clear(self) -> None:
        """Takes the bar away."""
        if self._shown:
            self.stream.write("\r" + " " * self._shown + "\r")
            self._shown = 0

    def _numbers(self, values: Mapping[str, float]) -> str:
        shown = []
        for name, value in values.items():
            weight = self.weights.get(name.removeprefix("val_"), 1)
            shown.append(f"{name} {number(value)}" if weight == 1 else f"{name} {number(value)}×{weight:g}")
        return "  ".join(shown)

    def _title(self, number: int) -> str:
        return f"{self.unit} {number:>{len(str(self.count))}}/{self.count}"

    def _draw(self, text: str) -> None:
        text = visible(text)[: max(shutil.get_terminal_size().columns - 1, 20)]
        self.stream.write("\r" + text.ljust(self._shown))
        self.stream.flush()
        self._shown = len(text)


def number(value: float) -> str:
    """Four digits behind the point, more for what is small."""
    return f"{value:.4f}" if value == 0 or abs(value) >= 1e-3 else f"{value:.3e}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
