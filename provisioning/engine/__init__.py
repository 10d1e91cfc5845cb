"""The engine: advances a saga, forward or backward, one committed step after the other.

`runner.run` is the entry point, the same for a worker and for a call in place. It claims the saga by one
conditional update (`claim`), which also enters the step at which the saga stands: the ledger has it as
`running` before anything is done. `execution` goes forward, `compensation` backward; both call a step's
function through `attempt`. Each step's end and the next one's beginning are one statement (`ledger`), fenced
by the lease's token and the database's clock: a holder that lost its lease writes nothing. `execute` and
`compensate` run outside any transaction. A worker that dies leaves its lease to expire, and the sweep finds
the saga; nothing else needs to be known about what it did.
"""
