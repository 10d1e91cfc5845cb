-- List the resources that a live saga works on: its own change is no drift. A part of other statements.
SELECT worked_on.id
FROM saga_subjects AS subject
JOIN saga_runs AS saga ON saga.id = subject.saga_id AND saga.status IN ('pending', 'running', 'waiting', 'compensating')
JOIN cloud_resources AS worked_on ON worked_on.provider = 'digitalocean'
    AND worked_on.kind = split_part(subject.subject, ':', 1)
    AND worked_on.provider_id = substr(subject.subject, strpos(subject.subject, ':') + 1)
