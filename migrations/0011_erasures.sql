CREATE TABLE `erasures` (
	`user_id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`erased_at` integer NOT NULL,
	`asked_at` integer NOT NULL,
	`counts` text NOT NULL,
	`connections` text NOT NULL,
	`cleaned_at` integer
);
--> statement-breakpoint
CREATE INDEX `erasures_organization` ON `erasures` (`organization_id`);--> statement-breakpoint
CREATE INDEX `erasures_open` ON `erasures` (`user_id`) WHERE cleaned_at is null;--> statement-breakpoint
CREATE TABLE `tree_erasures` (
	`user_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`bridge_id` integer NOT NULL,
	`organization_id` integer NOT NULL,
	`asked_at` integer NOT NULL,
	`confirmed_at` integer,
	`waiting` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`user_id`, `connection_id`, `bridge_id`)
);
--> statement-breakpoint
CREATE INDEX `tree_erasures_open` ON `tree_erasures` (`bridge_id`) WHERE confirmed_at is null;--> statement-breakpoint
CREATE INDEX `tree_erasures_organization` ON `tree_erasures` (`organization_id`);