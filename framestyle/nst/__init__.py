"""ONE image: the network, its losses and the optimiser. Knows tensors, knows no file and no clock."""
