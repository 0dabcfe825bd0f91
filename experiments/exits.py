"""How a run or a call of the program ends, the worst last."""

# Exit codes; FOUND, a run that was complete already, exits with 0.
FOUND, OK, FAILED, BAD, STOPPED = -1, 0, 1, 2, 130
