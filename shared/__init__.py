"""Code that several services need today; a module used by one service lives in that service."""
