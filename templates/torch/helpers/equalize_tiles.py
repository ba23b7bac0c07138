import torch
from torch import Tensor


def equalize_tiles(
    x: Tensor,
    grid: tuple[int, int],
    limit: float,
    low: float = 0.0,
    high: float = 255.0,
) -> Tensor:
    """Contrast limited adaptive histogram equalization of images x [batch, channels,
    height, width]: each level of 256 becomes the share of lower ones in its tile of the
    `grid`, and pixels take what lies between the four tiles that are nearest."""
    levels = (((x - low) / (high - low)) * 255).clamp(0, 255).long()
    height, width = x.shape[-2:]
    rows, columns = -(-height // grid[0]), -(-width // grid[1])  # of a tile
    levels = torch.cat([levels, levels.flip(2)[:, :, : rows * grid[0] - height]], 2)
    levels = torch.cat([levels, levels.flip(3)[..., : columns * grid[1] - width]], 3)
    tiles = levels.reshape(*x.shape[:2], grid[0], rows, grid[1], columns)
    tiles = tiles.transpose(3, 4).flatten(4)
    counts = torch.zeros(*tiles.shape[:-1], 256, device=x.device)
    counts.scatter_add_(-1, tiles, torch.ones_like(tiles, dtype=counts.dtype))
    if limit > 0:
        clipped = counts.clamp_max(limit * rows * columns / 256)
        counts = clipped + (counts - clipped).sum(-1, keepdim=True) / 256
    lower = counts.cumsum(-1)
    least = lower[..., :1]
    most = rows * columns - least
    table = (lower - least) * 255 / torch.where(most == 0, 1, most)
    table = table.clamp(0, 255).flatten(2)

    def between(size: int, tiles: int) -> tuple[Tensor, Tensor, Tensor]:
        """The tile before each pixel of an axis, the one behind, and where between."""
        place = torch.arange(size * tiles, dtype=torch.float32, device=x.device)
        place = (place - size / 2) / size + 1
        tile = place.floor()
        before, behind = (tile - 1).clamp(0, tiles - 1), tile.clamp(0, tiles - 1)
        return before.long(), behind.long(), place - tile

    def look_up(row: Tensor, column: Tensor) -> Tensor:
        place = (row[:, None] * grid[1] + column) * 256 + levels
        return table.gather(2, place.flatten(2)).view_as(place)

    top, bottom, down = between(rows, grid[0])
    left, right, along = between(columns, grid[1])
    above = look_up(top, left) * (1 - along) + look_up(top, right) * along
    below = look_up(bottom, left) * (1 - along) + look_up(bottom, right) * along
    y = above * (1 - down[:, None]) + below * down[:, None]
    return (y[..., :height, :width] / 255 * (high - low) + low).to(x.dtype)
