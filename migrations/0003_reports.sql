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
--> statement-breakpoint
CREATE TABLE `link_revocations` (
	`organization_id` integer NOT NULL,
	`run_id` integer NOT NULL,
	`before` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `run_id`)
);
--> statement-breakpoint
CREATE TABLE `mail_states` (
	`connection_id` integer NOT NULL,
	`entity` text NOT NULL,
	`organization_id` integer NOT NULL,
	`feed` text NOT NULL,
	`hold` text,
	PRIMARY KEY(`connection_id`, `entity`)
);
--> statement-breakpoint
CREATE INDEX `mail_states_organization` ON `mail_states` (`organization_id`);--> statement-breakpoint
CREATE TABLE `mails` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer,
	`run_id` integer,
	`type` text NOT NULL,
	`facts` text NOT NULL,
	`status` text DEFAULT 'queued' NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`due_at` integer NOT NULL,
	`sender` text,
	`last_error` text,
	`created_at` integer NOT NULL,
	`sent_at` integer
);
--> statement-breakpoint
CREATE INDEX `mails_organization` ON `mails` (`organization_id`,`id`);--> statement-breakpoint
CREATE INDEX `mails_due` ON `mails` (`due_at`) WHERE status = 'queued';--> statement-breakpoint
CREATE INDEX `mails_created` ON `mails` (`created_at`);--> statement-breakpoint
CREATE TABLE `master_keys` (
	`id` integer PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`since` integer NOT NULL
);
