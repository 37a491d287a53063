"""The plan of a train as one thing: what it says, what it said, and what lies between the two."""
