"""The engine: walks a saga forward, or back, one committed step after the other.

`runner.run` is the way in, the same for a worker and for a call in place. It claims the saga by one
conditional update (`claim`), which also enters the step at which the saga stands: the ledger says `running`
before anything is done. Each step's end and the next one's beginning are one statement, fenced by the
lease's token and the database's clock (`ledger`): a holder that lost its lease writes nothing. `execute`
and `compensate` run outside any transaction. A worker that dies leaves its lease to run out, and the sweep
finds the saga; nothing else needs to be known about what it did.
"""
