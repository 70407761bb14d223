"""What the studio takes, at most. docs/studio.md lists these."""

from __future__ import annotations

UPLOAD_BYTES = 8 << 30
"""One file."""
UPLOADS = 5_000
"""Files that are kept, until some are removed."""
UPLOADS_BYTES = 64 << 30
"""All of them together."""
UPLOADS_ROOM_BYTES = 1 << 28
"""What uploads leave free on the disk."""
ZIP_BYTES = 201_000_000
"""A preset's zip, as `presets import` takes it."""
JSON_BYTES = 1_100_000
"""Any other body; a preset's file is at most a million bytes."""

HEADER_BYTES = 16 << 10
HEADER_S = 10.0
"""A request's head has so long to come."""
BODY_PAUSE_S = 20.0
"""A body may rest so long between two pieces."""
CONNECTIONS = 256
STREAMS = 32
"""Of events, at a time."""

INPUTS = 5_000
"""Of one job."""
JOBS = 10_000
"""In the queue, those that are done with them."""
WANTED = 200
"""Previews that a page asks for at a time."""
LISTED = 500
"""Entries of one answer."""
PICTURE_PX = 4096
"""Longest side of a picture that is made for the page."""
CACHE_BYTES = 1 << 30
"""Small pictures and previews that are kept."""
DECODE_S = 60.0
"""A helper that takes longer with a file is ended."""
DECODER_BYTES = 6 << 30
"""Memory of a helper that decodes, where the system can hold it to that."""
