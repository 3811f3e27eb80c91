"""Python modules straight from S3, DynamoDB and Redis, at the release you ask for."""

from rstack._native import __version__

__all__ = ["__version__"]
