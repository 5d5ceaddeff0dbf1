"""What is remembered: engine, models, repositories and the persisted vocabulary."""
