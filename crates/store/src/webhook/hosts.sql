-- webhook/hosts.sql: the hosts to which the tenant confines its webhooks.
SELECT hosts FROM webhook_hosts
