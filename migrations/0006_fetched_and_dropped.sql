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
	`until` integer NOT NULL,
	`handing_until` integer
);
--> statement-breakpoint
CREATE INDEX `bridge_leases_bridge` ON `bridge_leases` (`bridge_id`);--> statement-breakpoint
CREATE TABLE `bridge_states` (
	`connection_id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`seen_at` integer,
	`trouble` text,
	`failures` integer DEFAULT 0 NOT NULL,
	`said_at` integer,
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
CREATE INDEX `sftp_logins_organization` ON `sftp_logins` (`organization_id`);--> statement-breakpoint
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
CREATE TABLE `authorizations` (
	`state` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`connection_version` integer NOT NULL,
	`verifier` text NOT NULL,
	`actor` text NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `authorizations_organization` ON `authorizations` (`organization_id`);--> statement-breakpoint
CREATE TABLE `connection_clocks` (
	`connection_id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`basis` text DEFAULT '' NOT NULL,
	`next_at` integer,
	`is_retry` integer DEFAULT false NOT NULL,
	`expected_at` integer,
	`expected_basis` text DEFAULT '' NOT NULL,
	`overdue_since` integer,
	`overdue_said_at` integer,
	`expected_from` integer,
	`checkpoint` text,
	`checkpoint_version` integer
);
--> statement-breakpoint
CREATE INDEX `connection_clocks_next` ON `connection_clocks` (`next_at`) WHERE next_at is not null;--> statement-breakpoint
CREATE INDEX `connection_clocks_expected` ON `connection_clocks` (`expected_at`) WHERE expected_at is not null;--> statement-breakpoint
CREATE INDEX `connection_clocks_organization` ON `connection_clocks` (`organization_id`);--> statement-breakpoint
CREATE TABLE `connection_secrets` (
	`connection_id` integer NOT NULL,
	`name` text NOT NULL,
	`organization_id` integer NOT NULL,
	`sealed` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`connection_id`, `name`)
);
--> statement-breakpoint
CREATE INDEX `connection_secrets_organization` ON `connection_secrets` (`organization_id`);--> statement-breakpoint
CREATE TABLE `fetches` (
	`run_id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`drop_id` integer,
	`owner` text,
	`lease_until` integer,
	`attempts` integer DEFAULT 0 NOT NULL,
	`chunks` integer DEFAULT 0 NOT NULL,
	`bytes` integer DEFAULT 0 NOT NULL,
	`records` integer DEFAULT 0 NOT NULL,
	`checkpoint` text,
	`origins` text DEFAULT '[]' NOT NULL,
	`warnings` text DEFAULT '[]' NOT NULL,
	`complete` integer DEFAULT false NOT NULL,
	`error` text,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`ended_at` integer
);
--> statement-breakpoint
CREATE INDEX `fetches_open` ON `fetches` (`run_id`) WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX `fetches_organization` ON `fetches` (`organization_id`);--> statement-breakpoint
CREATE INDEX `fetches_connection` ON `fetches` (`connection_id`);--> statement-breakpoint
CREATE INDEX `fetches_drop` ON `fetches` (`drop_id`);--> statement-breakpoint
CREATE TABLE `recalls` (
	`organization_id` integer NOT NULL,
	`user_id` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `user_id`)
);
--> statement-breakpoint
ALTER TABLE `connections` ADD `expected_by` text;--> statement-breakpoint
ALTER TABLE `connections` ADD `failure_kinds` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `encrypted` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `tokens` ADD `serves` text;