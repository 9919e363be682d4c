ALTER TABLE `links` ADD `absent_from` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `waits_for` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `part_of` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `parts` text;