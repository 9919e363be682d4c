CREATE TABLE `connection_upgrades` (
	`connection_id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`version` text NOT NULL,
	`digest` text NOT NULL,
	`settings` text NOT NULL,
	`settings_after` text NOT NULL,
	`renamed` text NOT NULL,
	`reads` text,
	`settings_version` integer NOT NULL,
	`upgraded_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `connection_upgrades_organization` ON `connection_upgrades` (`organization_id`);--> statement-breakpoint
ALTER TABLE `fetches` ADD `connector_version` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `upgrade` text;