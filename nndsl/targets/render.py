"""The one place that sets up Jinja. Templates get finished pieces of text; nothing of the user's is ever a template."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

from nndsl.resources import cache_dir, templates_path


@cache
def _environment() -> Environment:
    folder = cache_dir()
    return Environment(
        loader=FileSystemLoader(templates_path()),
        bytecode_cache=FileSystemBytecodeCache(str(folder)) if folder is not None else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Python is emitted, not HTML
        auto_reload=False,
    )


def render(template: str, **context: Any) -> str:
    return _environment().get_template(template).render(**context)
