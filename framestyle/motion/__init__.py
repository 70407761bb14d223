"""MANY frames: flow, shots and the sequence. Knows frames in memory, knows no file."""
