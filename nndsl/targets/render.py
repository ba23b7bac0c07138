"""Templates with their pieces put in. Templates get finished pieces of text; nothing of the user's is ever a template.

What runs are the functions that `skeletons.py` has made of the templates. jinja2 itself is set up only here, and only
where a template is not the one that they were made of, in a checkout whose templates are being worked on.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nndsl.resources import read_template, templates_path

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(templates_path()),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Python is emitted, not HTML
        auto_reload=False,
    )


def render(template: str, **context: Any) -> str:
    """The text of a template (`torch/program.py.j2`) with that context."""
    shipped: Any = import_module(f"nndsl.targets.skeletons_{template.partition('/')[0]}")
    if all(read_template(name) == text for name, text in shipped.SOURCES.items()):
        return str(shipped.TEMPLATES[template](context))
    return environment().get_template(template).render(**context)
