"""Passwords of tests, hashed in a millisecond: the product's hasher takes a third of a second for each."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """The product's algorithm in one round, so that processes with the product's settings verify them too."""

    iterations = 1
