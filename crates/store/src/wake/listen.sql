-- wake/listen.sql: from now on this connection hears the hints of other processes.
LISTEN orch_wake
