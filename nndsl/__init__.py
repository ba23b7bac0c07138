"""nndsl: a compiler from a small textual network language to readable tf.keras and PyTorch programs.

`check`, `compile` and `load` are what `nndsl.api` defines; `import nndsl` alone imports nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nndsl._version import __version__

if TYPE_CHECKING:
    from nndsl.api import CompileError, check, compile, load

__all__ = ["CompileError", "__version__", "check", "compile", "load"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from nndsl import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext nndsl` in IPython or Jupyter: `%%nn` and `%nn`."""
    from nndsl import notebook

    notebook.load_ipython_extension(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
