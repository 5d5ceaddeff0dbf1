"""Learning: the starter model, and everything that turns ratings into better weights."""
