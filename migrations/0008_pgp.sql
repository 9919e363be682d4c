CREATE TABLE `pgp_keys` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`owner` text NOT NULL,
	`fingerprint` text NOT NULL,
	`key_ids` text NOT NULL,
	`public_key` text NOT NULL,
	`private_key` text,
	`retired_at` integer,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `pgp_keys_connection` ON `pgp_keys` (`connection_id`,`fingerprint`);--> statement-breakpoint
ALTER TABLE `runs` ADD `encrypted` integer DEFAULT false NOT NULL;