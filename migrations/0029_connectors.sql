ALTER TABLE `connection_clocks` ADD `reads` text;--> statement-breakpoint
ALTER TABLE `fetches` ADD `repeated` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `fetches` ADD `expected` integer;--> statement-breakpoint
ALTER TABLE `fetches` ADD `unchanged` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `note` text;