-- The order of what happened: places in the streams, and the times of a job's life, which never go back.

-- A place in a stream for what this transaction writes now: its own number, or that of the newest transaction that has
-- ended, if it is higher. A transaction may have drawn its number before another one that it has seen the rows of: by its
-- own number alone it would stand before its cause. No reader passes a place that a transaction may still be given: the
-- writer's number is no higher than the place, and readers stop before the oldest number that is still open.
-- Volatile, so that it looks at the moment of the call and not at the statement's snapshot.
CREATE FUNCTION stream_place() RETURNS xid8
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
    RETURN greatest(pg_current_xact_id(),
        (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8);
END
$$;
REVOKE ALL ON FUNCTION stream_place FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stream_place TO orch_app;
ALTER TABLE event ALTER COLUMN txid SET DEFAULT stream_place();
ALTER TABLE change ALTER COLUMN txid SET DEFAULT stream_place();
ALTER TABLE audit ALTER COLUMN txid SET DEFAULT stream_place();
COMMENT ON COLUMN event.txid IS 'Place in the stream: the writing transaction, or a newer one that had ended before. Rows of one place are in the order of their ids';
COMMENT ON COLUMN change.txid IS 'Place in the stream: the writing transaction, or a newer one that had ended before. Rows of one place are in the order of their ids';
COMMENT ON COLUMN audit.txid IS 'Place in the stream: the writing transaction, or a newer one that had ended before. Rows of one place are in the order of their ids';

-- A UUIDv7 of a moment to the microsecond: the last 62 bits are those of another UUID. Ids of later moments are greater.
CREATE FUNCTION uuid_at(at timestamptz, drawn uuid) RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT (lpad(to_hex(round(date_part('epoch', at) * 1000000)::bigint / 1000), 12, '0')
        || '7' || lpad(to_hex(round(date_part('epoch', at) * 1000000)::bigint % 1000 * 4096 / 1000), 3, '0')
        || right(replace(drawn::text, '-', ''), 16))::uuid
$$;
REVOKE ALL ON FUNCTION uuid_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION uuid_at TO orch_app;

-- When what happened last to a job happened: the next thing happens later, whatever the clock says.
ALTER TABLE waiting ADD COLUMN since timestamptz NOT NULL DEFAULT 'epoch';
ALTER TABLE ready ADD COLUMN since timestamptz NOT NULL DEFAULT 'epoch';
ALTER TABLE delayed ADD COLUMN since timestamptz NOT NULL DEFAULT 'epoch';
ALTER TABLE held ADD COLUMN since timestamptz NOT NULL DEFAULT 'epoch';
ALTER TABLE lease ADD COLUMN since timestamptz NOT NULL DEFAULT 'epoch';
ALTER TABLE run ADD COLUMN since timestamptz NOT NULL DEFAULT 'epoch';
COMMENT ON COLUMN waiting.since IS 'When the last event of the job happened';
COMMENT ON COLUMN ready.since IS 'When the last event of the job happened';
COMMENT ON COLUMN delayed.since IS 'When the last event of the job happened';
COMMENT ON COLUMN held.since IS 'When the last event of the job happened';
COMMENT ON COLUMN lease.since IS 'When the last event of the job happened';
COMMENT ON COLUMN run.since IS 'When the last event of the run or of a job of it that ended happened';

-- By session first: an index that begins with the tenant would serve any look-up of a lease, and badly, whenever the planner
-- believes that there are few leases.
DROP INDEX lease_session;
-- Serves session/leases.sql, session/held.sql, session/reap.sql, session/unheard.sql, session/close.sql, session/find.sql and session/list.sql.
CREATE INDEX lease_session ON lease (session_id);
