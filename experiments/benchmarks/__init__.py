"""Speed comparisons, with all sides measured in turn."""
