"""Simulator of the finance service for laptops, tests and demos: it imports invoices, over HTTP on loopback.

Start it:

    python -m simulator.finance --port 4010 [--rows FILE]

prints `finance listening on http://127.0.0.1:4010` once it answers. Rows are in memory, or in the SQLite
file. Tokens are verified with SKYAI_FINANCE_JWT_SECRET (by default `DEFAULT_SECRET`) and the audience
SKYAI_FINANCE_JWT_AUDIENCE (`finance`). In a test: `with serve(InvoiceStore()) as url: ...`.

    POST /api/v1/integrations/cloud/import-invoice

answers 201 `created` or 200 `updated`, one row per (tenant_id, source, external_id); 401 without a valid
token, 403 without a writing role or for another tenant, 422 on an invalid invoice.

Control, without a token (JSON in, JSON out):

    GET, DELETE       /_control/invoices    the rows, oldest first, each with `times`, how often it came
    GET, DELETE       /_control/requests    received requests, and response statuses (null: none); `in_hand`
                                            counts those without a response yet
    GET, POST, DELETE /_control/faults      {"kind", "count", "after", "probability", ...}, see `app.FAULTS`
"""
