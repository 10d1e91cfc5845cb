"""One declarative entry per kind of resource. A new kind is a new module here and a line in `registry`."""
