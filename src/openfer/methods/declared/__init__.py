"""One file per method: its settings and its declaration. No torch here."""
