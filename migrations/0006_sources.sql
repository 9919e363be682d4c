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
ALTER TABLE `connections` ADD `expected_by` text;--> statement-breakpoint
ALTER TABLE `connections` ADD `failure_kinds` text DEFAULT '{}' NOT NULL;