"""One file per dataset: the reader of its raw folder. This folder holds nothing else."""
