"""A DigitalOcean for laptops, tests and demos, over real HTTP on loopback.

Start it:

    python -m simulator --port 8025 [--fleet default|droplets|reference|empty] [--droplets N] [--seed S]
                        [--volumes N] [--snapshots N] [--domains N] … (all: --help)
                        [--invoices N] [--invoice-lines N] [--today YYYY-MM-DD] [--speed X] [--limits]
                        [--host 127.0.0.1]

prints `simulator listening on http://127.0.0.1:8025` once it answers (port 0 takes a free one) and
stops on SIGTERM or SIGINT. In a test:

    with serve(World(fleet="reference")) as url: ...

The bearer token is `simulator.simulation.DEFAULT_TOKEN`. What a fleet holds depends on the seed alone:
`droplets` has three tenants (acme, globex, initech) with a project each, 12 droplets, and a GPU droplet
that only `?type=gpus` lists; `default` has them and some fifty resources of all other kinds, with two more
droplets, a cluster's workers; `reference` has five droplets; `--droplets N` adds N more to the default
project, computed as they are asked for, and `--volumes N`, `--snapshots N` and their like as many of another
kind (see `simulator.synthetic_resources`). Action times are virtual seconds, of which `--speed` pass in a
real one. State is in memory alone.

Control, without a token (JSON in, JSON out):

    POST   /_control/reset        {fleet, seed, droplets, load, today, speed, invoices, invoice_lines}: all
                                  back to the start; `load`: {"volumes": N, …}
    POST   /_control/advance      {seconds}: virtual time, and the calendar, jump ahead
    POST   /_control/tokens       {token, team, fleet}: point a token at a team's account, new or known
    DELETE /_control/tokens/TOKEN
    POST   /_control/limits       {enabled, per_hour, per_minute}: refuse what is over DO's limits
    PATCH  /_control/account      {droplet_limit}
    GET    /_control/state        counts per account, faults, requests
    GET    /_control/requests     ?since=&method=&path=: what was asked, and the answer's status
    DELETE /_control/requests
    POST   /_control/droplets     {name, size, region, tags, project, count}: made behind the client's back
    PATCH  /_control/droplets/ID  {name, size, status, tags, project}
    DELETE /_control/droplets/ID
    POST   /_control/churn        {rename, tag, resize, delete, create}: that many of each at once
    GET    /_control/invoices/YYYY-MM   those of a month, with their numbers of lines
    POST   /_control/invoices           {month, lines}: one more of a complete month
    PATCH  /_control/invoices/KEY       {credits}: dollars off, told in the summary alone; KEY: month or uuid
    GET, POST, DELETE /_control/faults[/ID]: see `simulator.faults`

Droplets, churn, invoices and the account's limit are the default team's, or that of `?team=`. What an account
is charged, `simulator.billing` describes. A new kind of resource is a module in `simulator/endpoints` and a
line in its `KINDS`.
"""
