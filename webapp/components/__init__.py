"""What the pages show: pure functions from views to HTML. No queries, no session state, every value escaped here."""
