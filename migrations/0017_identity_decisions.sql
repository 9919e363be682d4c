CREATE TABLE `identity_decisions` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`user_id` integer NOT NULL,
	`kind` text NOT NULL,
	`fingerprint` text NOT NULL,
	`released` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `identity_decisions_connection` ON `identity_decisions` (`connection_id`);--> statement-breakpoint
CREATE INDEX `identity_decisions_user` ON `identity_decisions` (`user_id`);