-- After the migrations: the one organization, and no trigger, since the baseline keeps no digests to clear.
insert into organizations (id, slug, name, timezone, created_at, updated_at)
values (1, 'default', 'Default', 'UTC', 0, 0);
drop trigger if exists users_version_clears_digests;
