CREATE TABLE `hub_marks` (
	`id` integer PRIMARY KEY NOT NULL,
	`hub_id` text NOT NULL,
	`restored_at` integer,
	`backup_at` integer
);
--> statement-breakpoint
INSERT INTO `hub_marks` (`id`, `hub_id`) VALUES (1, lower(hex(randomblob(16))));
