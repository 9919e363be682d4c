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
