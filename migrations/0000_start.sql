CREATE TABLE `change_pages` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`run_id` integer,
	`page` integer NOT NULL,
	`kind` text NOT NULL,
	`first_change` integer NOT NULL,
	`count` integer NOT NULL,
	`parked` text,
	`superseded` text,
	`seq` integer,
	`applied_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `change_pages_run` ON `change_pages` (`run_id`,`page`);--> statement-breakpoint
CREATE INDEX `change_pages_seq` ON `change_pages` (`organization_id`,`seq`) WHERE seq is not null;--> statement-breakpoint
CREATE TABLE `connections` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`slug` text NOT NULL,
	`name` text NOT NULL,
	`connector` text NOT NULL,
	`preset` text,
	`settings` text DEFAULT '{}' NOT NULL,
	`key` text,
	`mapping` text DEFAULT '{}' NOT NULL,
	`schedule` text,
	`policy` text DEFAULT '{}' NOT NULL,
	`limits` text DEFAULT '{}' NOT NULL,
	`settings_version` integer DEFAULT 1 NOT NULL,
	`paused_at` integer,
	`last_applied` text DEFAULT '{}' NOT NULL,
	`baseline` text DEFAULT '{}' NOT NULL,
	`full_inputs` integer DEFAULT 0 NOT NULL,
	`hold_next` integer DEFAULT false NOT NULL,
	`salt` text NOT NULL,
	`layout` text,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `connections_slug` ON `connections` (`organization_id`,`slug`);--> statement-breakpoint
CREATE TABLE `custom_fields` (
	`organization_id` integer NOT NULL,
	`key` text NOT NULL,
	`label` text NOT NULL,
	`type` text NOT NULL,
	`required` integer DEFAULT false NOT NULL,
	`options` text DEFAULT '[]' NOT NULL,
	`max_length` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `key`)
);
--> statement-breakpoint
CREATE TABLE `departments` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`name` text NOT NULL,
	`folded` text NOT NULL,
	`parent_id` integer,
	`external_id` text,
	`active` integer DEFAULT true NOT NULL,
	`closing` integer DEFAULT false NOT NULL,
	`last_change` integer,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `departments_folded` ON `departments` (`organization_id`,`folded`);--> statement-breakpoint
CREATE UNIQUE INDEX `departments_external` ON `departments` (`organization_id`,`external_id`);--> statement-breakpoint
CREATE TABLE `drop_chunks` (
	`drop_id` integer NOT NULL,
	`part` integer NOT NULL,
	`chunk` integer NOT NULL,
	`bytes` integer NOT NULL,
	`body` blob NOT NULL,
	PRIMARY KEY(`drop_id`, `part`, `chunk`)
);
--> statement-breakpoint
CREATE TABLE `drops` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`name` text NOT NULL,
	`content_type` text NOT NULL,
	`entity` text,
	`coverage` text,
	`mode` text DEFAULT 'auto' NOT NULL,
	`bytes` integer DEFAULT 0 NOT NULL,
	`sha256` text,
	`rows` integer,
	`sealed_at` integer,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `drops_connection` ON `drops` (`connection_id`);--> statement-breakpoint
CREATE INDEX `drops_expires` ON `drops` (`expires_at`);--> statement-breakpoint
CREATE TABLE `issue_pages` (
	`run_id` integer NOT NULL,
	`organization_id` integer NOT NULL,
	`pass` integer NOT NULL,
	`page` integer NOT NULL,
	`body` text NOT NULL,
	PRIMARY KEY(`run_id`, `pass`, `page`)
);
--> statement-breakpoint
CREATE TABLE `links` (
	`connection_id` integer NOT NULL,
	`source_key` text NOT NULL,
	`user_id` integer NOT NULL,
	`digest` text,
	`canonical` text,
	`active` integer NOT NULL,
	`missing_since` integer,
	`missing_from` integer,
	`said` text,
	PRIMARY KEY(`connection_id`, `source_key`)
);
--> statement-breakpoint
CREATE INDEX `links_user` ON `links` (`user_id`);--> statement-breakpoint
CREATE INDEX `links_connection` ON `links` (`connection_id`);--> statement-breakpoint
CREATE INDEX `links_missing` ON `links` (`connection_id`) WHERE missing_since is not null;--> statement-breakpoint
CREATE TABLE `organizations` (
	`id` integer PRIMARY KEY NOT NULL,
	`slug` text NOT NULL,
	`name` text NOT NULL,
	`timezone` text NOT NULL,
	`technical_contact` text,
	`reply_to` text,
	`required_fields` text DEFAULT '["email","first_name","last_name"]' NOT NULL,
	`data_version` integer DEFAULT 0 NOT NULL,
	`reference_version` integer DEFAULT 0 NOT NULL,
	`lease_run` integer,
	`lease_owner` text,
	`lease_until` integer,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `organizations_slug_unique` ON `organizations` (`slug`);--> statement-breakpoint
CREATE TABLE `page_bodies` (
	`page_id` integer PRIMARY KEY NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `page_managers` (
	`page_id` integer PRIMARY KEY NOT NULL,
	`managers` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `pending_managers` (
	`organization_id` integer NOT NULL,
	`user_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`field` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`user_id`, `connection_id`)
);
--> statement-breakpoint
CREATE INDEX `pending_managers_value` ON `pending_managers` (`organization_id`,`field`,`value`);--> statement-breakpoint
CREATE TABLE `runs` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`drop_id` integer,
	`trigger` text NOT NULL,
	`mode` text NOT NULL,
	`entity` text NOT NULL,
	`coverage` text NOT NULL,
	`status` text NOT NULL,
	`complete` integer DEFAULT false NOT NULL,
	`counts` text,
	`held_by` text DEFAULT '[]' NOT NULL,
	`plan_hash` text,
	`plan_version` integer,
	`error` text,
	`input` text,
	`progress` text,
	`figures` text,
	`outcomes` text,
	`attempts` integer DEFAULT 0 NOT NULL,
	`approved_at` integer,
	`cancel_requested` integer DEFAULT false NOT NULL,
	`reverts_run` integer,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`finished_at` integer
);
--> statement-breakpoint
CREATE INDEX `runs_organization` ON `runs` (`organization_id`,`id`);--> statement-breakpoint
CREATE INDEX `runs_connection` ON `runs` (`connection_id`,`id`);--> statement-breakpoint
CREATE INDEX `runs_open` ON `runs` (`status`,`id`) WHERE status in ('queued', 'planning', 'applying', 'planned', 'held');--> statement-breakpoint
CREATE TABLE `sequences` (
	`name` text PRIMARY KEY NOT NULL,
	`next` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`scopes` text NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_hash_unique` ON `tokens` (`hash`);--> statement-breakpoint
CREATE INDEX `tokens_organization` ON `tokens` (`organization_id`);--> statement-breakpoint
CREATE TABLE `users` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`employee_id` text,
	`email` text,
	`first_name` text,
	`last_name` text,
	`preferred_name` text,
	`username` text,
	`title` text,
	`department_id` integer,
	`manager_id` integer,
	`location` text,
	`phone` text,
	`mobile_phone` text,
	`hire_date` text,
	`deactivation_date` text,
	`employment_status` text,
	`on_leave` integer DEFAULT false NOT NULL,
	`timezone` text,
	`language` text,
	`custom` text,
	`status` text NOT NULL,
	`source_id` integer,
	`field_sources` text,
	`edited_by_hand` text,
	`last_page` integer,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `users_organization` ON `users` (`organization_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `users_employee_id` ON `users` (`organization_id`,`employee_id`) WHERE employee_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `users_email` ON `users` (`organization_id`,`email`,(case status when 'active' then 0 else id end)) WHERE email is not null;--> statement-breakpoint
CREATE INDEX `users_deactivation` ON `users` (`deactivation_date`) WHERE status = 'active' and deactivation_date is not null;--> statement-breakpoint
CREATE INDEX `users_department` ON `users` (`department_id`) WHERE department_id is not null;