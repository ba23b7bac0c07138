"""What options of runs may say: for the command line, which has not loaded numpy yet, and for run.json."""

from __future__ import annotations

DEVICE = r"auto|cpu|mps|cuda(:\d{1,3})?"
"""A regular expression."""
PREDICTIONS = (".csv", ".npz", ".parquet")
"""The endings of files of predictions."""
