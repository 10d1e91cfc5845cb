"""The operator's console: assembles the apps."""
