"""Readers of the published datasets: a raw folder becomes rows; one file of ``readers/`` per dataset."""
