ALTER TABLE `connection_clocks` DROP COLUMN `checkpoint`;--> statement-breakpoint
ALTER TABLE `connection_clocks` DROP COLUMN `checkpoint_version`;