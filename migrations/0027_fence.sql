CREATE TABLE `senders` (
	`name` text PRIMARY KEY NOT NULL,
	`until` integer NOT NULL,
	`beat` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
ALTER TABLE `bridge_leases` ADD `epoch` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `bridge_leases` ADD `beat` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `fetches` ADD `lease_epoch` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `fetches` ADD `lease_beat` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `mails` ADD `epoch` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `deliveries` ADD `epoch` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `idempotency_keys` ADD `lease_beat` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `organizations` ADD `lease_epoch` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `organizations` ADD `lease_beat` integer DEFAULT 0 NOT NULL;