"""The deployed local stack as the scenarios see it."""
