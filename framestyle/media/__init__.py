"""FILES and PIPES: numpy in, numpy out; no torch."""
