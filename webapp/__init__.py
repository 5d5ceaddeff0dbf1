"""People: the web app, and the instance that runs it."""
