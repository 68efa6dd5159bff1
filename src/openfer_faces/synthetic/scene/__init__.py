"""The scene around a face: viewpoint, light, background and what covers the face."""
