"""One channel to and from our message types; no policy, no words."""
