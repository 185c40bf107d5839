-- Run once, by the postgres image, when the volume is new.
-- Extensions that the server does not offer are left out: JIVE itself needs none.
SELECT format('CREATE EXTENSION IF NOT EXISTS %I', name)
FROM pg_available_extensions
WHERE name IN ('pg_stat_statements', 'pgcrypto')
\gexec
