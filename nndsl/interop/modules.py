"""An emitted program as a module of this process."""

from __future__ import annotations

import linecache
import sys
from importlib.abc import InspectLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import count
from types import CodeType, ModuleType

_serials = count(1)


class _Loader(InspectLoader):
    """Imports a module from a text that lies in no file."""

    def __init__(self, text: str, path: str) -> None:
        self.text, self.path = text, path

    def get_source(self, fullname: str) -> str:
        return self.text

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.text, self.path)


def import_text(text: str, title: str) -> ModuleType:
    """The program's text as a module that stands in `sys.modules` under a name of its own, in which `title` can be
    read; `inspect` and tracebacks find its lines. What runs is the compiler's own output: of the user's text it holds
    only names and literals."""
    name = f"nndsl_loaded_{next(_serials)}_{title}"
    path = f"<{name}>"
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    loader = _Loader(text, path)
    spec = spec_from_loader(name, loader, origin=path)
    assert spec is not None
    module = module_from_spec(spec)
    module.__file__ = path
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
