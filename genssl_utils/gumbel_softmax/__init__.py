"""Unit 05, Gumbel-softmax: what its notebook needs and the student does not write."""
