"""What is to be done: inputs, tasks, sizes, steps and what they cost. Loads no torch."""
