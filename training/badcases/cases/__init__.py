"""The cases as YAML, one file for each fault; written by hand."""
