"""Studies: the plan of their runs, the jobs of a sweep, and their execution."""
