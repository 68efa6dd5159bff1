"""One loss per file, each a pure function of tensors."""
