"""A model as an HTTP service. It needs the extra ``serve``."""
