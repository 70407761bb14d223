"""WHERE tasks run."""
