"""What students write for the exercises of 01_conditional_gans: wrong, or right and unusual."""

import torch
from torch.nn import functional as F

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- composite ----------------------------------------------------------------------------------


@oracle("composite")
def pixel_by_pixel(image, fill, mask):
    rows = []
    for picture, painted, hole in zip(image, fill, mask.expand_as(image), strict=True):
        pixels = zip(picture.flatten(), painted.flatten(), hole.flatten().tolist(), strict=True)
        rows.append(torch.stack([new if inside else old for old, new, inside in pixels]))
    return torch.stack(rows).view(image.shape)


@mistake("composite", "Your mask is upside down: it is 1 in the hole, where the fill belongs.")
def upside_down(image, fill, mask):
    return torch.where(mask > 0.5, image, fill)


@mistake("composite", "You return the fill everywhere. Outside of the hole the picture is known.")
def fill_whole(image, fill, mask):
    return fill.clone()


@mistake("composite", "You return the picture as it was: the hole is still there.")
def image_whole(image, fill, mask):
    return image + 0 * fill.detach()


@mistake("composite", "You write into `image`, which belongs to the caller. Make a new tensor.")
def in_place(image, fill, mask):
    hole = mask.expand_as(image) > 0.5
    image[hole] = fill[hole]
    return image


@mistake(
    "composite",
    "A nan under the hole comes through: 0 · nan is nan. Choose one of the two, do not multiply.",
)
def multiplied(image, fill, mask):
    return (1 - mask) * image + mask * fill


@mistake(
    "composite", "You lay the fill on top of what was there. In the hole the fill alone counts."
)
def added(image, fill, mask):
    return image.nan_to_num() + mask * fill


@mistake("composite", "In the hole you mix fill and picture. The fill alone belongs there.")
def mixed(image, fill, mask):
    return torch.where(mask > 0.5, (image.nan_to_num() + fill) / 2, image)


@mistake("composite", "Outside of the hole nothing is left. The known picture belongs there.")
def outside_lost(image, fill, mask):
    return mask * fill


@mistake("composite", "Every picture gets the hole of the first one. Each has a mask of its own.")
def first_hole_for_all(image, fill, mask):
    return torch.where(mask[:1] > 0.5, fill, image)


@mistake("composite", "No gradient reaches the fill, so that its network cannot learn.")
def detached(image, fill, mask):
    return torch.where(mask > 0.5, fill.detach(), image)


@mistake("composite", "Only the first colour is filled. The mask holds for all of them.")
def one_colour(image, fill, mask):
    first = torch.where(mask > 0.5, fill[:, :1], image[:, :1])
    return torch.cat([first, image[:, 1:]], 1)


@variant("composite")
def on_a_copy(image, fill, mask):
    out, hole = image.clone(), mask.bool().expand_as(image)
    out[hole] = fill[hole]
    return out


@variant("composite")
def emptied_then_added(image, fill, mask):
    return image.masked_fill(mask.bool(), 0.0) + mask * fill


@variant("composite")
def a_loop_over_pictures(image, fill, mask):
    rows = [torch.where(m == 1, f, i) for i, f, m in zip(image, fill, mask, strict=True)]
    return torch.stack(rows)


# --- masked_loss --------------------------------------------------------------------------------


@oracle("masked_loss")
def by_collecting(fill, image, mask):
    hole = mask.expand_as(image).bool()
    one, other = fill[hole], image[hole]
    return F.mse_loss(one, other) if len(one) else (fill * 0).sum()


@mistake("masked_loss", "You divide by all pixels of the pictures. Only those of the holes count.")
def over_all_pixels(fill, image, mask):
    return (mask * (fill - image) ** 2).mean()


@mistake(
    "masked_loss",
    "You divide by the pixels of the holes and forget that each has C numbers, one a colour.",
)
def channels_forgotten(fill, image, mask):
    return (mask * (fill - image) ** 2).sum() / mask.sum().clamp(min=1)


@mistake("masked_loss", "Your mask is upside down: you measure outside of the hole.")
def measured_outside(fill, image, mask):
    known = (1 - mask).expand_as(image)
    return (known * (fill - image) ** 2).sum() / known.sum().clamp(min=1)


@mistake("masked_loss", "The mask plays no part: you measure the whole picture.")
def mask_ignored(fill, image, mask):
    return F.mse_loss(fill, image)


@mistake("masked_loss", "You sum and do not divide. A mean over the pixels of the holes is asked.")
def not_divided(fill, image, mask):
    return (mask * (fill - image) ** 2).sum()


@mistake("masked_loss", "You take absolute differences. The squared ones are asked for.")
def absolute(fill, image, mask):
    hole = mask.expand_as(image)
    return (hole * (fill - image).abs()).sum() / hole.sum().clamp(min=1)


@mistake("masked_loss", "Without any hole you divide 0 by 0. Such a batch has the loss 0.")
def nothing_by_nothing(fill, image, mask):
    hole = mask.expand_as(image)
    return (hole * (fill - image) ** 2).sum() / hole.sum()


@mistake(
    "masked_loss",
    "You take a mean for each picture and then the mean of these. Here each pixel counts alike.",
)
def picture_by_picture(fill, image, mask):
    hole = mask.expand_as(image)
    each = (hole * (fill - image) ** 2).flatten(1).sum(1) / hole.flatten(1).sum(1).clamp(min=1)
    return each.mean()


@mistake("masked_loss", "You take a root at the end. The mean of the squares itself is asked for.")
def rooted(fill, image, mask):
    hole = mask.expand_as(image)
    mean = (hole * (fill - image) ** 2).sum() / hole.sum().clamp(min=1)
    return torch.where(mean > 0, mean, 1.0).sqrt() * (mean > 0)


@mistake("masked_loss", "You divide by the number of pictures. Divide by what the holes hold.")
def by_pictures(fill, image, mask):
    return (mask * (fill - image) ** 2).sum() / len(image)


@mistake("masked_loss", "No gradient reaches the fill, so that its network cannot learn.")
def cut_off(fill, image, mask):
    hole = mask.expand_as(image)
    return (hole * (fill.detach() - image) ** 2).sum() / hole.sum().clamp(min=1)


@variant("masked_loss")
def a_sum_from_torch(fill, image, mask):
    hole = mask.bool().expand_as(image)
    total = F.mse_loss(fill[hole], image[hole], reduction="sum")
    return total / max(1, int(hole.sum()))


@variant("masked_loss")
def both_masked_first(fill, image, mask):
    inside = mask.sum() * image.shape[1]
    squares = (mask * fill - mask * image).pow(2)
    return squares.sum() / inside if inside > 0 else squares.sum()


@variant("masked_loss")
def a_norm(fill, image, mask):
    gaps = (mask * (fill - image)).flatten()
    return gaps @ gaps / torch.clamp(mask.sum() * image.shape[1], min=1)


SURVIVORS = {}
