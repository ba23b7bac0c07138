"""Where the files lie that are not Python: the grammar and the templates."""

from __future__ import annotations

import os

_PACKAGE = os.path.dirname(os.path.realpath(__file__))

PREPARED = ("syntax/shipped.py", "layers/index.py", "targets/skeletons_torch.py", "targets/skeletons_keras.py")
"""The modules of the package that `nndsl.prepare` makes."""


def _folder(name: str) -> str:
    """In a wheel the folder stands inside the package (`nndsl/_grammar`), in a checkout beside it (`grammar`)."""
    packaged = os.path.join(_PACKAGE, f"_{name}")
    return packaged if os.path.isdir(packaged) else os.path.join(os.path.dirname(_PACKAGE), name)


def is_checkout() -> bool:
    """Whether the sources are at work where they are written, so that they can be newer than what is made of them."""
    return not os.path.isdir(os.path.join(_PACKAGE, "_grammar"))


def grammar_path() -> str:
    """The file that holds the grammar of the language."""
    return os.path.join(_folder("grammar"), "nn.lark")


def read_grammar() -> str:
    """The grammar of the language, `nn.lark`."""
    return _read(grammar_path())


def templates_path() -> str:
    """The folder that holds `keras/` and `torch/`."""
    return _folder("templates")


def read_template(name: str) -> str:
    """The text of a file in the folder of templates: `torch/program.py.j2`."""
    return _read(os.path.join(templates_path(), *name.split("/")))


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
