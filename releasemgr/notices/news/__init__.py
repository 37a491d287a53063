"""What each step has to say, and to whom it might be said; rules say to whom it is."""
