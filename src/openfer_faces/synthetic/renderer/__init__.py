"""The renderer: geometry of a scene, rasteriser, shading, and what the camera sees of the landmarks."""
