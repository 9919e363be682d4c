CREATE TABLE `audit_entries` (
	`organization_id` integer NOT NULL,
	`seq` integer NOT NULL,
	`at` integer NOT NULL,
	`actor_kind` text NOT NULL,
	`actor_id` text,
	`actor_name` text,
	`action` text NOT NULL,
	`subjects` text NOT NULL,
	`request_id` text,
	`address` text,
	PRIMARY KEY(`organization_id`, `seq`)
);
--> statement-breakpoint
CREATE INDEX `audit_entries_at` ON `audit_entries` (`organization_id`,`at`);--> statement-breakpoint
CREATE TABLE `audit_seals` (
	`organization_id` integer NOT NULL,
	`seq` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`organization_id`, `seq`)
);
--> statement-breakpoint
CREATE TABLE `events` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`type` text NOT NULL,
	`run_id` integer,
	`connection_id` integer,
	`data` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `events_organization` ON `events` (`organization_id`,`id`);--> statement-breakpoint
CREATE INDEX `events_type` ON `events` (`organization_id`,`type`,`id`);--> statement-breakpoint
CREATE INDEX `events_run` ON `events` (`run_id`);--> statement-breakpoint
CREATE INDEX `events_created` ON `events` (`created_at`);--> statement-breakpoint
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
CREATE TABLE `link_revocations` (
	`organization_id` integer NOT NULL,
	`run_id` integer NOT NULL,
	`before` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `run_id`)
);
--> statement-breakpoint
CREATE TABLE `mail_states` (
	`connection_id` integer NOT NULL,
	`entity` text NOT NULL,
	`organization_id` integer NOT NULL,
	`feed` text NOT NULL,
	`hold` text,
	PRIMARY KEY(`connection_id`, `entity`)
);
--> statement-breakpoint
CREATE INDEX `mail_states_organization` ON `mail_states` (`organization_id`);--> statement-breakpoint
CREATE TABLE `mails` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer,
	`run_id` integer,
	`type` text NOT NULL,
	`facts` text NOT NULL,
	`status` text DEFAULT 'queued' NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`due_at` integer NOT NULL,
	`sender` text,
	`last_error` text,
	`created_at` integer NOT NULL,
	`sent_at` integer
);
--> statement-breakpoint
CREATE INDEX `mails_organization` ON `mails` (`organization_id`,`id`);--> statement-breakpoint
CREATE INDEX `mails_due` ON `mails` (`due_at`) WHERE status = 'queued';--> statement-breakpoint
CREATE INDEX `mails_created` ON `mails` (`created_at`);--> statement-breakpoint
CREATE TABLE `master_keys` (
	`id` integer PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`since` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tallies` (
	`name` text NOT NULL,
	`label` text NOT NULL,
	`value` real DEFAULT 0 NOT NULL,
	PRIMARY KEY(`name`, `label`)
);
--> statement-breakpoint
CREATE TABLE `deliveries` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`endpoint_id` integer NOT NULL,
	`event_id` integer NOT NULL,
	`type` text NOT NULL,
	`event_at` integer NOT NULL,
	`status` text DEFAULT 'pending' NOT NULL,
	`step` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`due_at` integer NOT NULL,
	`sender` text,
	`created_at` integer NOT NULL,
	`finished_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `deliveries_event` ON `deliveries` (`endpoint_id`,`event_id`);--> statement-breakpoint
CREATE INDEX `deliveries_endpoint` ON `deliveries` (`endpoint_id`,`id`);--> statement-breakpoint
CREATE INDEX `deliveries_due` ON `deliveries` (`endpoint_id`,`due_at`) WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX `deliveries_sender` ON `deliveries` (`sender`) WHERE sender is not null;--> statement-breakpoint
CREATE INDEX `deliveries_organization` ON `deliveries` (`organization_id`);--> statement-breakpoint
CREATE INDEX `deliveries_created` ON `deliveries` (`created_at`);--> statement-breakpoint
CREATE TABLE `delivery_attempts` (
	`delivery_id` integer NOT NULL,
	`number` integer NOT NULL,
	`organization_id` integer NOT NULL,
	`at` integer NOT NULL,
	`latency_ms` integer NOT NULL,
	`status_code` integer,
	`error` text,
	`answer` text,
	PRIMARY KEY(`delivery_id`, `number`)
);
--> statement-breakpoint
CREATE INDEX `delivery_attempts_organization` ON `delivery_attempts` (`organization_id`);--> statement-breakpoint
CREATE INDEX `delivery_attempts_at` ON `delivery_attempts` (`at`);--> statement-breakpoint
CREATE TABLE `webhook_endpoints` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`url` text NOT NULL,
	`description` text,
	`event_types` text,
	`status` text DEFAULT 'enabled' NOT NULL,
	`disabled_reason` text,
	`disabled_at` integer,
	`secret` text NOT NULL,
	`secret_updated_at` integer NOT NULL,
	`previous_secret` text,
	`previous_until` integer,
	`seen_event` integer NOT NULL,
	`failing_since` integer,
	`last_failed_at` integer,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `webhook_endpoints_organization` ON `webhook_endpoints` (`organization_id`,`id`);--> statement-breakpoint
ALTER TABLE `connections` ADD `failures_in_a_row` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `connections` ADD `last_failed_run` integer;--> statement-breakpoint
ALTER TABLE `custom_fields` ADD `version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `request_id` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `planning_at` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `planned_at` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `applying_at` integer;