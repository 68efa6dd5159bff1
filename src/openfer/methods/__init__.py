"""One paper per file: its networks and what one training step is."""
