"""Runs: what is trained, its identity and its prerequisites. Readable without torch."""
