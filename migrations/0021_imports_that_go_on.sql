CREATE TABLE `run_names` (
	`organization_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`run_id` integer NOT NULL,
	`name` text NOT NULL,
	`place` integer NOT NULL,
	PRIMARY KEY(`connection_id`, `name`, `run_id`)
);
--> statement-breakpoint
CREATE INDEX `run_names_run` ON `run_names` (`run_id`);--> statement-breakpoint
ALTER TABLE `runs` ADD `rows` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `given` text;