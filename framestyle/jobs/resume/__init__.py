"""What is done already, and what a stopped task needs to resume."""
