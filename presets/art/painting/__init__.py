"""How the preset style artworks are painted, a module for each kind of medium."""
