ALTER TABLE `webhook_endpoints` ADD `scopes` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `webhook_endpoints` ADD `maker` text;--> statement-breakpoint
CREATE INDEX `webhook_endpoints_maker` ON `webhook_endpoints` (`maker`);--> statement-breakpoint
ALTER TABLE `drops` ADD `handed_in_by` text;