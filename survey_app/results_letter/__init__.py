"""The results back to the officials: the director's letter, by mail and by post. Floor 4."""
