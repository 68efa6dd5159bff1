"""Schedules that several methods train by."""

from openfer.methods.contract import Schedule

ADDL_SCHEDULE = Schedule(
    epochs=40,
    batch_size=16,
    learning_rate=1e-4,
    betas=(0.5, 0.999),
    weight_decay=5e-4,
    milestones=(10, 18, 25, 32),
    decay=0.1,
)
"""ADDL's (Ruan et al., IJCV 130, 2022) for RAF-DB; the weight decay is that of the public DDL code."""
