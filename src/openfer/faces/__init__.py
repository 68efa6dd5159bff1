"""From an image to an aligned face: detection, similarity transform, landmarks."""
