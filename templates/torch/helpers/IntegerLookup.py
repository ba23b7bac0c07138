import torch
from torch import Tensor, nn


class IntegerLookup(nn.Module):
    """The place of integers in a vocabulary, whose places begin at `first`. One that is
    not in it gets a place of the `unknown` before those, by its remainder; the `mask`
    gets the place `masked`."""

    known: Tensor
    places: Tensor

    def __init__(
        self,
        vocabulary: list[int],
        first: int = 1,
        unknown: int = 1,
        mask: int | None = None,
        masked: int = 0,
    ) -> None:
        super().__init__()
        self.first, self.unknown, self.mask, self.masked = first, unknown, mask, masked
        known, order = torch.tensor(vocabulary).sort()
        self.register_buffer("known", known, persistent=False)
        self.register_buffer("places", order + first, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x.long()
        at = torch.searchsorted(self.known, x).clamp_max(len(self.known) - 1)
        found = self.known[at] == x
        place = self.places[at]
        if self.unknown:
            other = self.first - self.unknown + x.remainder(self.unknown)
            place = torch.where(found, place, other)
        elif not (found if self.mask is None else found | (x == self.mask)).all():
            raise ValueError("there are integers that are not in the vocabulary")
        if self.mask is not None:
            place = torch.where(x == self.mask, self.masked, place)
        return place
