"""Work that is handed out: planned into a folder, painted unit by unit wherever that can be read, and joined."""
