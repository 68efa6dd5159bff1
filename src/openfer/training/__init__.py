"""The one trainer: loop, data order, augmentation, checkpoints, tracking."""
