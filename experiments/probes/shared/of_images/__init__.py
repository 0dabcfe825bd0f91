"""Used by probes of networks that give images: their measures, and how these are compared."""
