"""A grid of the first pictures of the training data, as `nndsl data --images` draws it."""

from __future__ import annotations

import io
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.runtime.dataset import Dataset
from nndsl.runtime.report import Unavailable

Array: TypeAlias = npt.NDArray[Any]

ACROSS, DOWN = 8, 6
SMALLEST, LARGEST = 64, 160
"""Pixels of the longer side of a picture in the grid."""
GAP, LINE = 8, 14
MOST_PIXELS = 2**24


def picture_input(dataset: Dataset) -> str | None:
    """The first input whose rows are pictures: [height, width] or [height, width, channels] with 1, 3 or 4 channels."""
    for name, column in dataset.columns.items():
        row, slot = column.row, column.slot
        flat = len(row) == 2 or (len(row) == 3 and row[2] in (1, 3, 4))
        if slot.what == "input" and slot.type.is_float and flat and min(row[:2]) >= 4 and prod(row) <= MOST_PIXELS:
            return name
    return None


def grid(dataset: Dataset, name: str) -> bytes:
    """A PNG of the first 48 pictures of the training part with their classes, if they have any. The smallest number of
    all becomes black, the largest white. Raises Unavailable."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise Unavailable(
            "the grid of pictures is drawn by Pillow, which is not installed", "install it: pip install 'nndsl[data]'"
        ) from None
    count = min(ACROSS * DOWN, len(dataset.train))
    taken = dataset.train.take(slice(0, count))
    pixels = _bytes(taken[name])
    labels = _labels(dataset, taken)
    height, width = pixels.shape[1:3]
    longer = max(height, width)
    scale = max(SMALLEST // longer, 1) if longer < LARGEST else LARGEST / longer
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    cell = size[0] + GAP, size[1] + GAP + (LINE if labels else 0)
    sheet = Image.new("RGB", (ACROSS * cell[0] + GAP, -(-count // ACROSS) * cell[1] + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for place in range(count):
        left, top = GAP + place % ACROSS * cell[0], GAP + place // ACROSS * cell[1]
        picture = Image.fromarray(pixels[place]).convert("RGB")
        how = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BILINEAR
        sheet.paste(picture.resize(size, how), (left, top))
        if labels:
            text = labels[place].encode("ascii", "replace").decode()  # Pillow's own font has no more letters
            while len(text) > 1 and draw.textlength(text) > size[0] + GAP - 2:
                text = text[:-1]
            draw.text((left, top + size[1] + 1), text, fill="black")
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def _bytes(values: Array) -> Array:
    """[n, height, width] or [n, height, width, 3 or 4] of bytes."""
    if values.ndim == 4 and values.shape[-1] == 1:
        values = values[..., 0]
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    scaled = (values.astype(np.float64) - low) * (255 / (high - low) if high > low else 0)
    return np.ascontiguousarray(np.nan_to_num(scaled).round().clip(0, 255).astype(np.uint8))


def _labels(dataset: Dataset, taken: dict[str, Array]) -> list[str]:
    """The class of each picture by the first target that has one a picture."""
    for name, column in dataset.columns.items():
        if column.slot.what != "output":
            continue
        values, names = taken[name], dataset.classes.get(name, [])
        if column.slot.loss.startswith("categorical") and values.ndim == 2 and values.shape[1] > 1:
            ids = values.argmax(1)
        elif column.slot.classes is not None or column.slot.loss.startswith("binary"):
            ids = values.reshape(len(values), -1)
            if ids.shape[1] != 1:
                continue
            ids = ids[:, 0]
        else:
            continue
        return [names[int(i)] if 0 <= int(i) < len(names) else f"{i:g}" for i in ids]
    return []
