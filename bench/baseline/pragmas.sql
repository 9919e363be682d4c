-- How the sqlite3 tool is set for the bench: durable as the hub is, with a cache that holds the indexes.
pragma journal_mode = wal;
pragma synchronous = normal;
pragma cache_size = -262144;
pragma temp_store = memory;
