"""VGG19 weights: a file a kind, where each lies, how files come in and are checked. Loads no torch itself."""
