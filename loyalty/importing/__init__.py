"""Members from CSV files: detect the form, read and check the rows, merge them set by set, report."""
