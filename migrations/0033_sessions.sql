CREATE TABLE `sessions` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`token_id` integer NOT NULL,
	`hash` text NOT NULL,
	`address` text,
	`used_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_hash_unique` ON `sessions` (`hash`);--> statement-breakpoint
CREATE INDEX `sessions_organization` ON `sessions` (`organization_id`,`id`);--> statement-breakpoint
CREATE INDEX `sessions_token` ON `sessions` (`organization_id`,`token_id`,`id`);--> statement-breakpoint
CREATE INDEX `sessions_expires` ON `sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `sign_in_links` (
	`hash` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`token_id` integer NOT NULL,
	`is_direct` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `sign_in_links_token` ON `sign_in_links` (`organization_id`,`token_id`);--> statement-breakpoint
CREATE INDEX `sign_in_links_expires` ON `sign_in_links` (`expires_at`);