"""People: from gender, age, race and a seed to a shape, a skin and hair."""
