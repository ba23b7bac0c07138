"""The readers of columns (parquet), of one array (npy) and of pictures in folders, described; `runtime/` opens them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.readers import Field, Reader
from nndsl.layers.file_names import FileName
from nndsl.layers.kinds import Int, ListOf


@entry("reader")
class Parquet(Reader):
    """A table in columns, as pandas, Polars and Spark write it; needs pyarrow.

    Columns are taken by number from 0 (`table[8]`, `table[0:8]`, `table[-1]`, `table[[0, 3]]`) or by name (`table.age`,
    `table["blood pressure"]`). They hold numbers, booleans, lists of equal length (a column of those is taken alone),
    or, for `tokens` and `classes`, words. Lists of unequal length need `pad`. A missing value is told with its row and
    column.

    Example:
        source table = parquet("houses.parquet") with test=0.2, seed=7
    """

    has_columns = True
    has_text = True
    has_lists = True
    header: ClassVar[bool] = True
    file = arg(FileName(), "The file, in the folder of the `.nn` file.")


@entry("reader")
class Npy(Reader):
    """One NumPy array, a row for each sample: `np.save("images.npy", images)`.

    The name of the source is the array: `x = images`; `images[0:8]` and `images[3]` take columns of it, counted along
    the second axis. The file is mapped, not read: it may be larger than the memory.

    Example:
        source images = npy("images.npy") with test=0.1
    """

    has_columns = True
    is_array = True
    header: ClassVar[bool] = False
    file = arg(FileName(), "The file, in the folder of the `.nn` file.")


@entry("reader")
class Images(Reader):
    """Pictures in folders, one folder for each class: `pets/cat/1.jpg`, `pets/dog/7.png`; needs Pillow.

    The classes are counted from 0 in the order of their folders' names. Where the folder holds `train` and `test`, with
    the classes in each, `test` is the test part. Pictures (.png, .jpg, .jpeg, .bmp, .gif, .webp) become colors or grays
    from 0 to 255 of the size asked for, drawn to it without keeping proportions.

    Example:
        source pets = images("pets", size=(64, 64)) with test=0.2, seed=7
    """

    folder = arg(FileName("folder"), "The folder of the folders, in the folder of the `.nn` file.")
    size = arg(ListOf(Int(1, 16_384), length=2), "Height and width that all pictures are brought to.")
    channels = arg(Int(1, 3), "3 for red, green and blue, 1 for grays.", 3)

    def check(self) -> None:
        if self.channels == 2:
            raise ConfigError(
                "`channels` of `images` is 1 or 3, not 2",
                "channels",
                help="3 for red, green and blue, 1 for grays",
                code="NN0206",
            )

    @property
    def file(self) -> str:
        """What the source reads, as other readers call it."""
        return str(self.folder)

    def fields(self) -> Mapping[str, Field]:
        height, width = self.size
        return {"image": Field((height, width, self.channels)), "label": Field(())}
