"""Several seeds of a cell at once: their trainings take turns, their steps are one program."""
