"""What students write for the exercises of 01_conditional_gans: wrong, or right and unusual."""

import torch
import torch.nn.functional as F

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- pixel_shuffle ------------------------------------------------------------------------------


def _split(x, r):
    """(N, C, r, r, H, W)."""
    n, channels, h, w = x.shape
    return x.reshape(n, channels // r**2, r, r, h, w)


@oracle("pixel_shuffle")
def by_torch(x, r):
    return F.pixel_shuffle(x, r)


@mistake(
    "pixel_shuffle",
    "Each block lies on its side: its first r channels should fill its first row, not its first "
    "column.",
)
def block_transposed(x, r):
    n, _, h, w = x.shape
    return _split(x, r).permute(0, 1, 4, 3, 5, 2).reshape(n, -1, h * r, w * r)


@mistake(
    "pixel_shuffle",
    "The shape is right and nothing has moved: reshape alone keeps all numbers in their order. "
    "Bring the axes side by side first.",
)
def reshaped_only(x, r):
    n, channels, h, w = x.shape
    return x.reshape(n, channels // r**2, h * r, w * r)


@mistake(
    "pixel_shuffle",
    "You split the channels as r² · C. It is C · r²: the r² channels of one output channel lie "
    "side by side in x.",
)
def channels_last_in_the_split(x, r):
    n, channels, h, w = x.shape
    split = x.reshape(n, r, r, channels // r**2, h, w)
    return split.permute(0, 3, 4, 1, 5, 2).reshape(n, -1, h * r, w * r)


@mistake(
    "pixel_shuffle",
    "Whole pictures lie side by side, like tiles. The r × r pixels from one place belong together: "
    "put each r after its own axis of the picture, not before.",
)
def tiles(x, r):
    n, _, h, w = x.shape
    return _split(x, r).permute(0, 1, 2, 4, 3, 5).reshape(n, -1, h * r, w * r)


@mistake(
    "pixel_shuffle",
    "You repeat one channel of each r². All of them have a pixel of their own.",
)
def nearest_neighbour(x, r):
    first = _split(x, r)[:, :, 0, 0]
    return first.repeat_interleave(r, 2).repeat_interleave(r, 3)


@mistake(
    "pixel_shuffle",
    "You average the r² channels and repeat the mean. Each has a pixel of its own.",
)
def averaged(x, r):
    mean = _split(x, r).mean((2, 3))
    return mean.repeat_interleave(r, 2).repeat_interleave(r, 3)


@mistake(
    "pixel_shuffle",
    "The picture lies on its side: it should have H·r rows and W·r columns.",
)
def height_and_width_swapped(x, r):
    return F.pixel_shuffle(x, r).transpose(2, 3)


@mistake(
    "pixel_shuffle",
    "All r² went into the width. One r belongs to the height, one to the width.",
)
def all_into_the_width(x, r):
    n, channels, h, w = x.shape
    split = x.reshape(n, channels // r**2, r * r, h, w)
    return split.permute(0, 1, 3, 4, 2).reshape(n, -1, h, w * r * r)


@mistake(
    "pixel_shuffle",
    "The two r are crossed: the one for rows went to the width, the one for columns to the height, "
    "and before their axes. Which axis of the picture does each belong to?",
)
def crossed_tiles(x, r):
    n, _, h, w = x.shape
    return _split(x, r).permute(0, 1, 3, 4, 2, 5).reshape(n, -1, h * r, w * r)


@mistake(
    "pixel_shuffle", "No gradient comes back. Stay in torch; no detach, no numpy, no new tensor."
)
def cut_off(x, r):
    return F.pixel_shuffle(x.detach(), r)


@variant("pixel_shuffle")
def torchs_own(x, r):
    return torch.nn.PixelShuffle(r)(x)


@variant("pixel_shuffle")
def by_strides(x, r):
    n, channels, h, w = x.shape
    y = x.new_zeros(n, channels // r**2, h * r, w * r)
    for a in range(r):
        for b in range(r):
            y[:, :, a::r, b::r] = x[:, a * r + b :: r * r]
    return y


@variant("pixel_shuffle")
def by_a_transposed_convolution(x, r):
    n, channels, h, w = x.shape
    kernel = torch.eye(r * r).to(x).reshape(r * r, 1, r, r)
    flat = x.reshape(-1, r * r, h, w)
    y = F.conv_transpose2d(flat, kernel, stride=r)
    return y.reshape(n, channels // r**2, h * r, w * r)


@variant("pixel_shuffle")
def rows_then_columns(x, r):
    n, channels, h, w = x.shape
    rows = x.reshape(n, channels // r, r, h, w).permute(0, 1, 3, 4, 2).reshape(n, -1, h, w * r)
    tall = rows.reshape(n, channels // r**2, r, h, w * r).transpose(2, 3)
    return tall.reshape(n, -1, h * r, w * r)


SURVIVORS: dict[str, str] = {}
"""Mutants that no check has to reject, because they do the same: name → reason."""
