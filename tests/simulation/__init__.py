"""A town in one process: the shipped steps, shell and organisation files on a log and a store in memory, under one seed."""
