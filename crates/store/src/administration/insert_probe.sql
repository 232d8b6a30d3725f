-- administration/insert_probe.sql: one row $1 with payload $2, committed by itself.
INSERT INTO public.insert_probe (id, payload) VALUES ($1, $2)
