CREATE TABLE `group_members` (
	`group_id` integer NOT NULL,
	`user_id` integer NOT NULL,
	`organization_id` integer NOT NULL,
	PRIMARY KEY(`group_id`, `user_id`)
);
--> statement-breakpoint
CREATE INDEX `group_members_user` ON `group_members` (`user_id`);--> statement-breakpoint
CREATE INDEX `group_members_organization` ON `group_members` (`organization_id`);--> statement-breakpoint
CREATE TABLE `groups` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`external_id` text,
	`name` text NOT NULL,
	`folded` text NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `groups_organization` ON `groups` (`organization_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `groups_name` ON `groups` (`connection_id`,`folded`);--> statement-breakpoint
CREATE INDEX `groups_external` ON `groups` (`connection_id`,`external_id`) WHERE external_id is not null;--> statement-breakpoint
CREATE TABLE `scim_users` (
	`connection_id` integer NOT NULL,
	`source_key` text NOT NULL,
	`organization_id` integer NOT NULL,
	`external_id` text,
	`user_name` text NOT NULL,
	`folded` text NOT NULL,
	`display_name` text,
	`removed_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`connection_id`, `source_key`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `scim_users_name` ON `scim_users` (`connection_id`,`folded`) WHERE removed_at is null;--> statement-breakpoint
CREATE INDEX `scim_users_removed` ON `scim_users` (`connection_id`,`folded`) WHERE removed_at is not null;--> statement-breakpoint
CREATE INDEX `scim_users_external` ON `scim_users` (`connection_id`,`external_id`) WHERE external_id is not null;--> statement-breakpoint
ALTER TABLE `tokens` ADD `connection_id` integer;