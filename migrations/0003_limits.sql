CREATE TABLE `idempotency_answers` (
	`claim` text NOT NULL,
	`part` integer NOT NULL,
	`organization_id` integer NOT NULL,
	`sealed` text NOT NULL,
	PRIMARY KEY(`claim`, `part`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_answers_organization` ON `idempotency_answers` (`organization_id`);--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`claim` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`caller` text NOT NULL,
	`route` text NOT NULL,
	`key_hash` text NOT NULL,
	`lease_until` integer,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `idempotency_keys_key` ON `idempotency_keys` (`organization_id`,`caller`,`route`,`key_hash`);--> statement-breakpoint
CREATE INDEX `idempotency_keys_expires` ON `idempotency_keys` (`expires_at`);--> statement-breakpoint
CREATE TABLE `tallies` (
	`name` text NOT NULL,
	`label` text NOT NULL,
	`value` real DEFAULT 0 NOT NULL,
	PRIMARY KEY(`name`, `label`)
);
--> statement-breakpoint
ALTER TABLE `custom_fields` ADD `version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `request_id` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `planning_at` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `planned_at` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `applying_at` integer;