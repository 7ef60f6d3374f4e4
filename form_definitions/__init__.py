"""What is asked: declarative questionnaires, without web, database or clock."""
