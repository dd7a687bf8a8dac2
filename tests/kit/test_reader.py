"""The reader, the yardstick of made digits: it reads, and is the same each time."""

import torch

from genssl_utils.kit.data import digits
from genssl_utils.kit.reader import train_reader


def test_the_reader_reads_and_its_features_are_what_the_last_layer_sees():
    data = digits(flat=True)
    reader = train_reader(data)
    assert reader.accuracy > 0.96
    seen = reader.features(data.x_test)
    assert seen.shape == (540, 128)
    assert torch.equal(reader.net[-1](seen).argmax(1), reader.read(data.x_test))


def test_the_same_seed_gives_the_same_reader_and_another_seed_another():
    data = digits(flat=True)
    one, same, other = (train_reader(data, steps=20, seed=s).net[0].weight for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
