"""The frozen values of the catalog: `terms` that a quote is made from, and `lines` that it is made of."""
