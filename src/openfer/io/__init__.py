"""Files that openfer reads and writes: atomic, hashed, never pickled."""
