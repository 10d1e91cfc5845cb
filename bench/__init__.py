"""Benchmarks: each compares our code with a floor or a peer that is measured in the same run.

A module of this package registers its benches with `bench.harness.bench`; being here is enough for
`python -m bench` to find it.
"""
