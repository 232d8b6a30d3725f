-- Events as a stream: who caused them, partitions of a day, and a trim that leaves word of what it took.

ALTER TABLE event ADD COLUMN actor text, ADD COLUMN scope text, ADD COLUMN backoff_ms bigint CHECK (backoff_ms >= 0);
COMMENT ON COLUMN event.kind IS 'One of the types of orch.event.v1';
COMMENT ON COLUMN event.reason IS 'Why, in a word; the state of a run that finished; the digest of an image';
COMMENT ON COLUMN event.actor IS 'The principal that caused it; NULL for the system itself';
COMMENT ON COLUMN event.scope IS 'The scope by which it did';
COMMENT ON COLUMN event.backoff_ms IS 'How long the job is held back before its next attempt, in milliseconds';

-- What a report ended keeps the whole hash, to know a repeat; what anything else ended keeps the first half: the public
-- name of the lease, which no token matches.
COMMENT ON COLUMN outcome.token_hash IS 'SHA-256 of the lease token when a report ended the attempt, else its first 16 bytes: the lease''s public name';
COMMENT ON COLUMN attempt.token_hash IS 'SHA-256 of the lease token when a report ended the attempt, else its first 16 bytes: the lease''s public name';

CREATE TABLE event_trim (
    tenant_id uuid PRIMARY KEY REFERENCES tenant,
    txid xid8 NOT NULL,
    event_id uuid NOT NULL,
    trimmed_at timestamptz NOT NULL
);
COMMENT ON TABLE event_trim IS 'The last event that is no longer kept: a cursor before it has expired';
SELECT guard('event_trim');
GRANT SELECT ON event_trim TO orch_app;

-- Partitions of a table from the last period to some weeks ahead: days of events, which are kept for a day or two and
-- looked through by whoever follows them, so at most a week of them ahead; weeks of everything else.
CREATE OR REPLACE FUNCTION partition_ensure(tbl regclass, weeks integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orch, pg_temp AS $$
DECLARE
    daily CONSTANT boolean := tbl = 'event'::regclass;
    unit CONSTANT text := CASE WHEN daily THEN 'day' ELSE 'week' END;
    period CONSTANT interval := '1 ' || unit;
    ahead CONSTANT integer := CASE WHEN daily THEN least(weeks, 1) ELSE weeks END;
    start timestamptz;
    child text;
    made integer := 0;
BEGIN
    -- One maker at a time; the names below are what makes a repeat harmless.
    PERFORM pg_advisory_xact_lock(hashtext('orch.partition'), tbl::oid::integer);
    FOR start IN SELECT generate_series(
        date_trunc(unit, clock_timestamp() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - period,
        clock_timestamp() + ahead * interval '1 week', period)
    LOOP
        child := tbl::text || '_'
            || to_char(start AT TIME ZONE 'UTC', CASE WHEN daily THEN 'YYYYMMDD' ELSE 'IYYY"w"IW' END);
        IF to_regclass(child) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE TABLE %s PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                    child, tbl, uuid_floor(start), uuid_floor(start + period));
                PERFORM guard(child::regclass);
                made := made + 1;
            EXCEPTION
                WHEN check_violation THEN
                    -- Rows of that time lie in the default partition already: they stay there, the other periods go on.
                    RAISE WARNING '% cannot be made: the default partition holds rows of that time', child;
                WHEN invalid_object_definition THEN
                    -- A partition of a week, from before, holds that day.
                    RAISE DEBUG '% is not needed', child;
            END;
        END IF;
    END LOOP;
    child := tbl::text || '_other';
    IF to_regclass(child) IS NULL THEN
        EXECUTE format('CREATE TABLE %s PARTITION OF %s DEFAULT', child, tbl);
        PERFORM guard(child::regclass);
    END IF;
    RETURN made;
END
$$;

-- Weeks of events that nobody has written to become days. By size, not by rows: of those the owner sees none.
DO $$
DECLARE
    week regclass;
BEGIN
    FOR week IN SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent = 'event'::regclass AND inhrelid::regclass::text ~ '^event_\d+w\d+$'
          AND pg_relation_size(inhrelid) = 0
    LOOP
        EXECUTE format('DROP TABLE %s', week);
    END LOOP;
END
$$;
SELECT partition_ensure('event', 1);

-- The partitions of a table whose ids all lie below one, in the order of their names. Never the default one.
CREATE FUNCTION partitions_until(tbl regclass, until uuid) RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = orch, pg_temp AS $$
    SELECT c.oid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = tbl
      AND substring(pg_get_expr(c.relpartbound, c.oid) FROM $r$TO \('([0-9a-f-]{36})'\)$r$)::uuid <= until
    ORDER BY c.oid::regclass::text
$$;
REVOKE ALL ON FUNCTION partitions_until FROM PUBLIC;

-- Keeps in mind the last event of each tenant in a partition that goes. As the owner, who like everybody sees one tenant
-- at a time.
CREATE FUNCTION event_trim_note(part regclass, tenants uuid[], until uuid) RETURNS void
LANGUAGE plpgsql SET search_path = orch, pg_temp AS $$
DECLARE
    tenant uuid;
BEGIN
    FOREACH tenant IN ARRAY tenants LOOP
        PERFORM set_config('app.tenant_id', tenant::text, true);
        EXECUTE format($q$
            INSERT INTO event_trim AS kept (tenant_id, txid, event_id, trimmed_at)
            SELECT tenant_id, txid, event_id, clock_timestamp() FROM %s
            WHERE tenant_id = $1 AND event_id < $2 ORDER BY txid DESC, event_id DESC LIMIT 1
            ON CONFLICT (tenant_id) DO UPDATE
                SET txid = excluded.txid, event_id = excluded.event_id, trimmed_at = excluded.trimmed_at
                WHERE (kept.txid, kept.event_id) < (excluded.txid, excluded.event_id)$q$, part)
            USING tenant, until;
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END
$$;
REVOKE ALL ON FUNCTION event_trim_note FROM PUBLIC;

-- Drops the partitions whose events all happened before a moment, which is at least a day ago, and returns how many.
-- What goes and the word of it are one transaction: a reader that still sees neither reads on, one that sees the gap
-- sees the word too. A partition that is being read is left for the next time.
CREATE FUNCTION events_trim(tenants uuid[], before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orch, pg_temp SET lock_timeout = '250ms' AS $$
DECLARE
    until CONSTANT uuid := uuid_floor(least(before, clock_timestamp() - interval '24 hours'));
    part regclass;
    tenant uuid;
    dropped integer := 0;
BEGIN
    FOR part IN SELECT * FROM partitions_until('event', until) LOOP
        -- Nobody writes to it any more from here on, so the last event is the last.
        EXECUTE format('LOCK TABLE %s IN SHARE MODE', part);
        PERFORM event_trim_note(part, tenants, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
        LOCK TABLE ONLY event IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('DROP TABLE %s', part);
        dropped := dropped + 1;
    END LOOP;
    -- Events of a time for which there was no partition.
    IF pg_relation_size('event_other') > 0 THEN
        PERFORM event_trim_note('event_other', tenants, until);
        FOREACH tenant IN ARRAY tenants LOOP
            PERFORM set_config('app.tenant_id', tenant::text, true);
            DELETE FROM event_other WHERE tenant_id = tenant AND event_id < until;
        END LOOP;
        PERFORM set_config('app.tenant_id', '', true);
    END IF;
    RETURN dropped;
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;
END
$$;
REVOKE ALL ON FUNCTION events_trim FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events_trim TO orch_sched;
