CREATE TABLE `master_keys` (
	`id` integer PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`since` integer NOT NULL
);
