-- administration/insert_probe_table.sql: the table of the benchmark's yardstick.
CREATE TABLE IF NOT EXISTS public.insert_probe (id uuid PRIMARY KEY, payload text NOT NULL)
