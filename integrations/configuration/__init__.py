"""A tenant as YAML: read, checked as a whole, applied in one transaction, and written out again."""
