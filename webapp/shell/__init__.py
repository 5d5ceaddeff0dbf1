"""What stands around every page: who is looking, the theme, the navigation, and what happens to an error."""
