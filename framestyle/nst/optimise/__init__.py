"""How the pixels are moved: optimisers, windows of steps, recovery from NaN, recorded steps."""
