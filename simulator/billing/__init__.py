"""What DigitalOcean charges an account: one invoice a month from December 2014 to the last complete month.

Decided by seed, fleet and date alone: what the fleet holds since it was made, what has long been gone,
Spaces, GST. A droplet that is made, resized, renamed or deleted here is billed so from then on, and what was
final stays as it was. The running month's preview grows by the hour and has a uuid of its own, which is
unknown once the month has turned. The droplets of `--droplets N` are in no regular invoice.

`--invoices N` makes N of them instead: the latest months alone, or several small ones a month.
`--invoice-lines N` adds one of N lines to the last complete month, a line for each of the droplets of
`--droplets`, again and again; it is computed as it is asked for.
"""
