ALTER TABLE `links` ADD `filtered` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `links` ADD `by_hand` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `drops` ADD `by_hand` integer DEFAULT false NOT NULL;