"""Infrastructure that every app needs and no app owns. Imports no app."""
