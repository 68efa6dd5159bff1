"""Is your copy of a dataset the expected one? Findings, a verdict, and a page."""
