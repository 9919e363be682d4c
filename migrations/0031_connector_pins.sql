ALTER TABLE `connections` ADD `connector_version` text;--> statement-breakpoint
ALTER TABLE `connections` ADD `connector_digest` text;