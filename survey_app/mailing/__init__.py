"""Mail to officials: texts, who gets them, the queue, the relay, what comes back. Floor 4; see README.md."""
