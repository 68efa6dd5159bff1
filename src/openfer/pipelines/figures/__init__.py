"""Tables and pictures of trained runs, and which method has which."""
