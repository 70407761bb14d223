"""What this machine has, each thing proved by doing it once."""
