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
ALTER TABLE `connections` ADD `failures_in_a_row` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `connections` ADD `last_failed_run` integer;