"""The whole loop on an instance of its own, from the first conversation to better weights that answer hotels."""
