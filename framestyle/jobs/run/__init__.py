"""The work itself: one task, a batch of jobs, and what is told of them."""
