"""Billing of an account: one invoice a month from December 2014 to the last complete month.

Invoices depend on seed, fleet and date alone: they charge the fleet since it was created, resources that are
long deleted, Spaces, GST. A droplet that is created, resized, renamed or deleted is billed so from then on;
final invoices stay as they are. The running month's preview grows by the hour and has a uuid of its own,
which is unknown once the month is over. The droplets of `--droplets N` are in no regular invoice.

`--invoices N` makes N of them instead: only the latest months, or several small ones a month.
`--invoice-lines N` adds one of N lines to the last complete month, with lines of the droplets of
`--droplets`, over and over; it is computed on request.
"""
