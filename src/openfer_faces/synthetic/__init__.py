"""The embedded faces: people, expressions, scenes and the renderer, drawn from CC0 head meshes."""
