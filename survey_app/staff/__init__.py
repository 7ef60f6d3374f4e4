"""The staff pages under `/gestion/`: one module per rubric, each with its `blueprint`. Floor 5."""
