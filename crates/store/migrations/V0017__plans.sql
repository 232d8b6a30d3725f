-- Indexes for look-ups whose cost must not grow with history or tenants.

-- Serves change/news.sql: whose changes are new, across tenants.
CREATE INDEX change_news ON change (txid, tenant_id);
