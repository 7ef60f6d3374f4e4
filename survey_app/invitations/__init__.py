"""Who is asked by a personal link, and how the answers come back without them. Floor 4; see README.md."""
