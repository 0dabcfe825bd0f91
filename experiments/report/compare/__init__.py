"""A study's runs as they are read, sorted into families, and compared with a baseline."""
