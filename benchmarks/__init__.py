"""Measurements of FrameStyle: run from the checkout, never imported by the package."""
