"""Google's face landmarker (MediaPipe), run by LiteRT: faces, 478 points with depth, 52 blendshapes, head pose."""
