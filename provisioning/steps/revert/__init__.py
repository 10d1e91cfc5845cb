"""The steps of `revert_drift`: one field of a resource put back to what is desired of it, and back again."""
