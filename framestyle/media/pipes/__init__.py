"""Clips that come and go through a pipe: y4m and Matroska in, y4m and Matroska out; read once, in order, no files."""
