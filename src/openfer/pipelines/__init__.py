"""How rooms are joined: thin nodes and declarative pipelines."""
