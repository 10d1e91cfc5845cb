"""The jobs page: the scheduled tasks in words, with their runs, a switch, a start by hand and their time."""
