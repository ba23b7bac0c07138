"""The parameters of a `.nn` text, set as `--set` sets them."""

from __future__ import annotations

import re
from collections.abc import Mapping


def set_params(text: str, params: Mapping[str, int]) -> str:
    """The text with the defaults of its `param` lines replaced."""
    for name, value in params.items():
        text, count = re.subn(rf"(?m)^param {name}(\s*)=.*$", rf"param {name}\1= {value}", text)
        assert count == 1, f"no `param {name}`"
    return text


def in_float(text: str, dtype: str) -> str:
    """The text with its models' floats of that type."""
    return re.sub(r"(?m)^(model \w+ \{)", rf"\1\n    options {{ float = {dtype} }}", text)
