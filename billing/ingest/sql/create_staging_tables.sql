-- Create the tables that an invoice's lines and items are copied to, before one statement matches and stores them.
-- parameters  none: a script
-- returns     nothing
-- locks       nothing; the tables live no longer than the transaction, since behind PgBouncer the session is
--             another's a moment later
CREATE TEMPORARY TABLE staged_lines (
    line_no integer, product text, group_description text, description text, hours numeric, started_at timestamptz,
    ended_at timestamptz, amount numeric, project_name text, category text, kind text, name text, is_tax boolean,
    resource_kind text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_items (
    item_no integer, product text, group_description text, description text, started_at timestamptz,
    ended_at timestamptz, amount numeric, resource_id text, resource_uuid text
) ON COMMIT DROP;
-- A line and the item that says the same, or one of both alone.
CREATE TEMPORARY TABLE line_items (line_no integer, item_no integer) ON COMMIT DROP;
SET LOCAL work_mem = '64MB'; -- the fleet's names in one hash table, and few runs to merge when the lines are sorted
