"""The one room that knows every room."""
