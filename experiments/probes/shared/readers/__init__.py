"""Used by `readout`: the maps of position, and the reader that predicts them from features."""
