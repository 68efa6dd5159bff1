"""Things in front of the face: sunglasses, a cloth mask, a hand, locks of hair."""
