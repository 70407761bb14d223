"""The scenes behind the sample photos and the sample clip, and what draws them."""
