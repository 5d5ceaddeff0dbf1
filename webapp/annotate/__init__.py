"""The annotators' desk in the browser: one page that talks JSON to a few routes, so that the next item is there at once."""
