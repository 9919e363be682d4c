CREATE TABLE `connection_templates` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`slug` text NOT NULL,
	`connector` text NOT NULL,
	`preset` text,
	`settings` text DEFAULT '{}' NOT NULL,
	`key` text,
	`mapping` text DEFAULT '{}' NOT NULL,
	`policy` text DEFAULT '{}' NOT NULL,
	`limits` text DEFAULT '{}' NOT NULL,
	`schedule` text,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `connection_templates_name_unique` ON `connection_templates` (`name`);--> statement-breakpoint
CREATE TABLE `template_uses` (
	`connection_id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`template_id` integer NOT NULL,
	`version` integer NOT NULL,
	`applied` text NOT NULL,
	`applied_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `template_uses_template` ON `template_uses` (`template_id`,`organization_id`);--> statement-breakpoint
CREATE INDEX `template_uses_organization` ON `template_uses` (`organization_id`);