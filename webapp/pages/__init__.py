"""The pages: each has one ``show``, which asks who is there, queries once, and draws."""
