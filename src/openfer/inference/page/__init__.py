"""A page that predicts in a browser: one file that needs no server."""
