"""What is loaded last for all processes of `tests.warm`, and for none else: see `tests.kept_weights`."""

import gc

import torch

from framestyle.nst.weights.catalog import load_backbone
from tests.kept_weights import keep

# A process that is forked from one whose torch has threads waiting would wait for them, who are not there: for good.
torch.set_num_threads(1)
keep()
load_backbone("untrained")
gc.collect()
gc.freeze()  # a session that closes looks for garbage: not among all this
