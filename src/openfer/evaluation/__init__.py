"""From predictions tables to metrics, statistics and figures; never a model."""
