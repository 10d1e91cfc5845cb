"""The money audit: rules over the whole book, and their findings, open until what they found is gone."""
