"""A folder served for ever: what arrives in it whole is painted, once. A rescan is the truth; events are hints."""
