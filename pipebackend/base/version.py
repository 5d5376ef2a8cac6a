"""The version of the project, for answers, pages and the package."""

__all__ = ["VERSION"]

VERSION = "0.2.0"
