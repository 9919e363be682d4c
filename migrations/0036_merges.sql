CREATE TABLE `merges` (
	`user_id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`into_id` integer NOT NULL,
	`moved` text NOT NULL,
	`merged_at` integer NOT NULL,
	`undo_until` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `merges_organization` ON `merges` (`organization_id`);--> statement-breakpoint
CREATE INDEX `merges_into` ON `merges` (`into_id`);--> statement-breakpoint
CREATE INDEX `merges_until` ON `merges` (`undo_until`);--> statement-breakpoint
ALTER TABLE `users` ADD `merged_into` integer;--> statement-breakpoint
CREATE INDEX `users_merged` ON `users` (`merged_into`) WHERE merged_into is not null;