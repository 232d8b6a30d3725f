-- webhook/hosts_put.sql: tenant $1 confines its webhooks to the hosts $2 from $3 on.
INSERT INTO webhook_hosts (tenant_id, hosts, updated_at) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id) DO UPDATE SET hosts = excluded.hosts, updated_at = excluded.updated_at
