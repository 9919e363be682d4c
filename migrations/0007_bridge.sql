CREATE TABLE `bridge_checks` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`asked_at` integer NOT NULL,
	`result` text
);
--> statement-breakpoint
CREATE INDEX `bridge_checks_connection` ON `bridge_checks` (`connection_id`);--> statement-breakpoint
CREATE INDEX `bridge_checks_asked` ON `bridge_checks` (`asked_at`);--> statement-breakpoint
CREATE TABLE `bridge_files` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`folder` text NOT NULL,
	`name` text NOT NULL,
	`bytes` integer NOT NULL,
	`modified_at` integer NOT NULL,
	`sha256` text NOT NULL,
	`drop_id` integer NOT NULL,
	`run_id` integer NOT NULL,
	`taken_at` integer NOT NULL,
	`settled_at` integer,
	`returned_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `bridge_files_unsettled` ON `bridge_files` (`connection_id`,`folder`,`name`,`bytes`,`modified_at`,`sha256`) WHERE settled_at is null;--> statement-breakpoint
CREATE INDEX `bridge_files_connection` ON `bridge_files` (`connection_id`,`folder`,`name`,`id`);--> statement-breakpoint
CREATE INDEX `bridge_files_open` ON `bridge_files` (`connection_id`) WHERE returned_at is null;--> statement-breakpoint
CREATE INDEX `bridge_files_organization` ON `bridge_files` (`organization_id`);--> statement-breakpoint
CREATE TABLE `bridge_leases` (
	`connection_id` integer PRIMARY KEY NOT NULL,
	`bridge_id` integer NOT NULL,
	`until` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `bridge_leases_bridge` ON `bridge_leases` (`bridge_id`);--> statement-breakpoint
CREATE TABLE `bridge_states` (
	`connection_id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`seen_at` integer,
	`trouble` text,
	`lying` text DEFAULT '[]' NOT NULL
);
--> statement-breakpoint
CREATE INDEX `bridge_states_organization` ON `bridge_states` (`organization_id`);--> statement-breakpoint
CREATE TABLE `bridges` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`thumbprint` text NOT NULL,
	`public_key` text NOT NULL,
	`bearer` text NOT NULL,
	`confirmed_at` integer,
	`version` text NOT NULL,
	`hosted` text,
	`seen_at` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `bridges_thumbprint_unique` ON `bridges` (`thumbprint`);--> statement-breakpoint
ALTER TABLE `tokens` ADD `serves` text;