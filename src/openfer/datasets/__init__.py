"""Readers of the published datasets: a raw folder becomes rows; one file per dataset."""
