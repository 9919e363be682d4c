CREATE TABLE `sftp_keys` (
	`connection_id` integer NOT NULL,
	`fingerprint` text NOT NULL,
	`organization_id` integer NOT NULL,
	`name` text NOT NULL,
	`type` text NOT NULL,
	`public_key` text NOT NULL,
	`made_by` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`connection_id`, `fingerprint`)
);
--> statement-breakpoint
CREATE INDEX `sftp_keys_organization` ON `sftp_keys` (`organization_id`);--> statement-breakpoint
CREATE TABLE `sftp_logins` (
	`connection_id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`username` text NOT NULL,
	`password_hash` text,
	`password_set_at` integer,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`used_at` integer,
	`refused_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sftp_logins_username_unique` ON `sftp_logins` (`username`);--> statement-breakpoint
CREATE INDEX `sftp_logins_organization` ON `sftp_logins` (`organization_id`);