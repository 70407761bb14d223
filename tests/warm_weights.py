"""What is loaded last for all processes of `tests.warm`, and for none else: see `tests.kept_weights`."""

import gc

from framestyle.nst.weights.catalog import load_backbone
from tests.kept_weights import keep

keep()
load_backbone("untrained")
gc.collect()
gc.freeze()  # a session that closes looks for garbage: not among all this
