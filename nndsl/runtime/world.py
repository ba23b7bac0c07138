"""The processes that train one model together: which of them this is, and what they tell each other.

They are started by `nndsl run --processes` (`launch.py`) or by torchrun; both say in the environment who is who
(RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE). Every method with "all" in its first line is a meeting: each process
must come to it, in the same order.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from nndsl.runtime.report import Unavailable

if TYPE_CHECKING:
    from nndsl.runtime.engine import Array, Rows

T = TypeVar("T")

TOGETHER = "NNDSL_TOGETHER"
"""Names the folder through which the processes of one `--processes` find each other."""
STORE, FOLDER = "store", "folder"
_PATIENCE = timedelta(minutes=30)
_GONE = ("connection closed by peer", "connection reset", "broken pipe", "gloo", "nccl", "socket")


class World:
    """One process of `count`: number `rank` of all, `local` of those on this machine. `joined` is False where it works
    alone, without any other to ask."""

    def __init__(self, rank: int = 0, count: int = 1, local: int = 0, locals: int = 1, *, joined: bool = False) -> None:
        self.rank, self.count, self.local, self.locals, self.joined = rank, count, local, locals, joined
        self._control: Any = None
        self._pending: tuple[Any, Any] | None = None

    @property
    def first(self) -> bool:
        """Whether it is this one that writes and speaks."""
        return self.rank == 0

    @property
    def shown(self) -> str:
        return f"process {self.rank + 1} of {self.count}"

    # -------------------------------------------------------------------------------------- the meeting

    def join(self, device: str) -> None:
        """Meets the others: all. Raises Unavailable."""
        if not self.joined or self._control is not None:
            return
        import torch
        import torch.distributed as dist

        gpu = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
        folder = os.environ.get(TOGETHER)
        try:
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if gpu else "gloo",
                init_method=f"file://{os.path.join(folder, STORE)}" if folder else "env://",
                rank=self.rank, world_size=self.count, timeout=_PATIENCE,
            )  # fmt: skip
            self._control = dist.new_group(backend="gloo")
        except (RuntimeError, ValueError) as error:
            reason = str(error).split("\n")[0]
            raise Unavailable(
                f"{self.shown} does not find the others: {reason}",
                "`nndsl run --processes N` and torchrun set up all that it takes; docs/run.md says how",
            ) from None

    def leave(self) -> None:
        """The end: all."""
        if self._control is not None:
            import torch.distributed as dist

            if self._pending is not None:
                self._pending[0].wait()
            dist.barrier(self._control)
            dist.destroy_process_group()
            self._control = self._pending = None

    def tell_folder(self, path: str) -> None:
        """Says to who started the processes in which folder the run is."""
        if self.first and (folder := os.environ.get(TOGETHER)):
            with suppress(OSError), open(os.path.join(folder, FOLDER), "w", encoding="utf-8") as stream:
                stream.write(os.path.abspath(path))

    def speaks(self) -> bool:
        """Whether this process is the one to say what has gone wrong: the first to ask."""
        if self._control is None:
            return self.local == 0
        import torch.distributed as dist

        try:
            store = dist.distributed_c10d._get_default_store()
            won: bytes = store.compare_set("nndsl/speaks", "", str(self.rank))
            return won == str(self.rank).encode()
        except RuntimeError:  # whoever held the store is gone
            return self.first

    def lost_others(self, error: BaseException) -> bool:
        """Whether the error says that another process is gone."""
        if self._control is None or not isinstance(error, RuntimeError):
            return False
        import torch.distributed as dist

        return isinstance(error, dist.DistError) or any(word in str(error).lower() for word in _GONE)

    # ---------------------------------------------------------------------------------------- the rows

    def sizes(self, rows: int) -> list[int]:
        """How many rows of a batch each process works on: they differ by one at most."""
        each, more = divmod(rows, self.count)
        return [each + (rank < more) for rank in range(self.count)]

    def own(self, sizes: Sequence[int]) -> slice:
        """Where the rows of this process stand, if each has so many."""
        start = sum(sizes[: self.rank])
        return slice(start, start + sizes[self.rank])

    def share(self, places: Rows) -> Rows:
        """The rows of a batch that this process works on, in one piece: none where there are more processes."""
        return places[self.own(self.sizes(len(places)))]

    # ----------------------------------------------------------------------------------- what is told

    def agree(self, *flags: bool) -> tuple[bool, ...]:
        """What one of them says, all have said: with several processes it is that of the call before, so that none
        waits for an answer."""
        if self._control is None:
            return flags
        import torch
        import torch.distributed as dist

        found = (False,) * len(flags)
        if self._pending is not None:
            work, told = self._pending
            work.wait()
            found = tuple(bool(flag) for flag in told.tolist())
        told = torch.tensor(flags, dtype=torch.uint8)
        self._pending = dist.all_reduce(told, dist.ReduceOp.MAX, group=self._control, async_op=True), told
        return found

    def of_first(self, value: T) -> T:
        """What the first process has, for all."""
        if self._control is None:
            return value
        import torch.distributed as dist

        values = [value]
        dist.broadcast_object_list(values, src=0, group=self._control)
        return values[0]

    def of_each(self, value: T) -> list[T]:
        """What each of them has, for all."""
        if self._control is None:
            return [value]
        import torch.distributed as dist

        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value, group=self._control)
        return values

    def sums(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """The sums over all, float64, by name."""
        if self._control is None:
            return dict(arrays)
        import numpy as np
        import torch
        import torch.distributed as dist

        flat = np.concatenate([np.asarray(array, np.float64).reshape(-1) for array in arrays.values()])
        whole = torch.from_numpy(flat)
        dist.all_reduce(whole, group=self._control)
        sums, at = {}, 0
        for name, array in arrays.items():
            sums[name] = flat[at : at + array.size].reshape(array.shape)
            at += array.size
        return sums

    def joined_rows(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """The rows of all, one behind the other, by name."""
        import numpy as np

        every = self.of_each(dict(arrays))
        return {name: np.concatenate([own[name] for own in every]) for name in arrays}


ALONE = World()


def here(environment: Mapping[str, str] = os.environ) -> World:
    """What the environment says of this process. Raises Unavailable where it contradicts itself."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    if not all(name in environment for name in names):
        return ALONE
    try:
        rank, count, local = (int(environment[name]) for name in names)
        locals = int(environment.get("LOCAL_WORLD_SIZE", count))
    except ValueError:
        rank, count, local, locals = -1, 0, 0, 0
    if not (0 <= rank < count and 0 <= local < locals <= count):
        told = ", ".join(f"{name}={environment[name]!r}" for name in names)
        raise Unavailable(f"the environment says {told}, which is no place among processes", "start it with torchrun")
    return World(rank, count, local, locals, joined=True)


def mixed(*parts: object) -> int:
    """A seed that follows from the parts."""
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
