"""Language in and out: what the hotel's words mean (``reader``) and what we say (``writer``), over prompts kept as versioned files."""
