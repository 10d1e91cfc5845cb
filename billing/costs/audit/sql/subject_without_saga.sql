-- Find subjects that a saga still holds although it is completed or rolled back: no other saga can work on them. A dead
-- letter keeps its own.
-- parameters  none
-- returns     subject_kind, subject_key, link, expected, actual   (one row a subject)
-- locks       nothing
SELECT 'subject' AS subject_kind, subject AS subject_key, 'saga:' || saga.id AS link,
       'free, or held by a saga that goes on' AS expected,
       'held by saga ' || saga.id || ', which is ' || saga.status AS actual
FROM saga_subjects
JOIN saga_runs AS saga ON saga.id = saga_id
WHERE saga.status IN ('completed', 'rolled_back')
