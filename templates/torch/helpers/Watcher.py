from collections.abc import Mapping


class Watcher:
    """Knows whether the watched number has got better."""

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        self.monitor, self.min_delta = monitor, min_delta
        self.sign = 1.0 if mode == "min" else -1.0
        self.best: float | None = None
        self.wait = 0

    def current(self, logs: Mapping[str, float]) -> float:
        return self.sign * logs[self.monitor]

    def better(self, value: float, than: float | None) -> bool:
        return than is None or value < than - self.min_delta
