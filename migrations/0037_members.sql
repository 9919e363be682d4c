CREATE TABLE `members` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`email` text NOT NULL,
	`name` text,
	`role` text NOT NULL,
	`invited_by` text NOT NULL,
	`invitation` integer NOT NULL,
	`signed_in_at` integer,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `members_email` ON `members` (`organization_id`,`email`);--> statement-breakpoint
CREATE INDEX `members_organization` ON `members` (`organization_id`,`id`);--> statement-breakpoint
CREATE INDEX `members_address` ON `members` (`email`);--> statement-breakpoint
CREATE TABLE `__new_sessions` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`token_id` integer,
	`member_id` integer,
	`hash` text NOT NULL,
	`address` text,
	`used_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	CONSTRAINT "sessions_owner" CHECK((token_id is null) <> (member_id is null))
);
--> statement-breakpoint
INSERT INTO `__new_sessions`("id", "organization_id", "token_id", "member_id", "hash", "address", "used_at", "expires_at", "created_at") SELECT "id", "organization_id", "token_id", null, "hash", "address", "used_at", "expires_at", "created_at" FROM `sessions`;--> statement-breakpoint
DROP TABLE `sessions`;--> statement-breakpoint
ALTER TABLE `__new_sessions` RENAME TO `sessions`;--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_hash_unique` ON `sessions` (`hash`);--> statement-breakpoint
CREATE INDEX `sessions_organization` ON `sessions` (`organization_id`,`id`);--> statement-breakpoint
CREATE INDEX `sessions_token` ON `sessions` (`organization_id`,`token_id`,`id`);--> statement-breakpoint
CREATE INDEX `sessions_member` ON `sessions` (`organization_id`,`member_id`,`id`);--> statement-breakpoint
CREATE INDEX `sessions_expires` ON `sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `__new_sign_in_links` (
	`hash` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`token_id` integer,
	`member_id` integer,
	`is_direct` integer NOT NULL,
	`expires_at` integer NOT NULL,
	CONSTRAINT "sign_in_links_owner" CHECK((token_id is null) <> (member_id is null))
);
--> statement-breakpoint
INSERT INTO `__new_sign_in_links`("hash", "organization_id", "token_id", "member_id", "is_direct", "expires_at") SELECT "hash", "organization_id", "token_id", null, "is_direct", "expires_at" FROM `sign_in_links`;--> statement-breakpoint
DROP TABLE `sign_in_links`;--> statement-breakpoint
ALTER TABLE `__new_sign_in_links` RENAME TO `sign_in_links`;--> statement-breakpoint
CREATE INDEX `sign_in_links_token` ON `sign_in_links` (`organization_id`,`token_id`);--> statement-breakpoint
CREATE INDEX `sign_in_links_member` ON `sign_in_links` (`organization_id`,`member_id`);--> statement-breakpoint
CREATE INDEX `sign_in_links_expires` ON `sign_in_links` (`expires_at`);--> statement-breakpoint
ALTER TABLE `run_links` ADD `member_id` integer;