"""Everything that services say to one another: event classes, topics, envelope. Services meet here and nowhere else."""
