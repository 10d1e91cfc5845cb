"""Simulator of DigitalOcean's API for laptops, tests and demos, over real HTTP on loopback.

Start it:

    python -m simulator --port 8025 [--fleet default|droplets|reference|empty] [--droplets N] [--seed S]
                        [--volumes N] [--snapshots N] [--domains N] … (all: --help)
                        [--invoices N] [--invoice-lines N] [--today YYYY-MM-DD] [--speed X] [--limits]
                        [--host 127.0.0.1]

prints `simulator listening on http://127.0.0.1:8025` once it answers (port 0 takes a free one) and
stops on SIGTERM or SIGINT. In a test:

    with serve(Simulation(fleet="reference")) as url: ...

The bearer token is `simulator.simulation.DEFAULT_TOKEN`. The contents of a fleet depend on the seed alone:
`droplets` has three tenants (acme, globex, initech) with a project each, 12 droplets, and a GPU droplet
that only `?type=gpus` lists; `default` has them and some fifty resources of all other kinds, with two more
droplets, a cluster's workers; `reference` has five droplets; `--droplets N` adds N more to the default
project, computed on request, and `--volumes N`, `--snapshots N` and so on as many of another kind (see
`simulator.synthetic_resources`). Actions last virtual seconds, of which `--speed` pass in a real one. State
is in memory only.

Control, without a token (JSON in, JSON out):

    POST   /_control/reset        {fleet, seed, droplets, load, today, speed, invoices, invoice_lines}: start
                                  over; `load`: {"volumes": N, …}
    POST   /_control/advance      {seconds}: virtual time, and the calendar, jump ahead
    POST   /_control/tokens       {token, team, fleet}: point a token at a team's account, new or known
    DELETE /_control/tokens/TOKEN
    POST   /_control/limits       {enabled, per_hour, per_minute}: enforce DO's rate limits
    PATCH  /_control/account      {droplet_limit, volume_limit, reserved_ip_limit}
    GET    /_control/state        counts per account, faults, requests
    GET    /_control/requests     ?since=&method=&path=: received requests, response statuses, the
                                  ids that a POST made, the end of the token
    DELETE /_control/requests
    POST   /_control/droplets     {name, size, region, tags, project, count}: created out of band
    PATCH  /_control/droplets/ID  {name, size, status, tags, project}
    DELETE /_control/droplets/ID
    POST   /_control/churn        {rename, tag, resize, delete, create}: so many of each, at once
    GET    /_control/invoices/YYYY-MM   invoices of a month, with their line counts
    POST   /_control/invoices           {month, lines}: add one to a complete month
    PATCH  /_control/invoices/KEY       {credits}: dollars off, in the summary alone; KEY: month or uuid
    GET, POST, DELETE /_control/faults[/ID]: see `simulator.faults`

Droplets, churn, invoices and the account's limit are the default team's, or that of `?team=`. Charges are
described in `simulator.billing`. A new kind of resource is a module in `simulator/endpoints` and a line in
its `KINDS`.
"""
