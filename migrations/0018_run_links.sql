CREATE TABLE `run_links` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`run_id` integer NOT NULL,
	`role` text NOT NULL,
	`scopes` text NOT NULL,
	`token_id` integer,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `run_links_run` ON `run_links` (`organization_id`,`run_id`,`id`);--> statement-breakpoint
CREATE INDEX `run_links_expires` ON `run_links` (`expires_at`);--> statement-breakpoint
ALTER TABLE `webhook_endpoints` ADD `include_values` integer DEFAULT false NOT NULL;