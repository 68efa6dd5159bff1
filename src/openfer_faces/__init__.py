"""Faces with every label known: a renderer of heads, and a landmarker that is trained on what it draws."""
