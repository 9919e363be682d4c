CREATE TABLE `schema_versions` (
	`migration` integer PRIMARY KEY NOT NULL,
	`version` text NOT NULL,
	`migrated_at` integer NOT NULL
);
