CREATE TABLE `leavers` (
	`user_id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`since` integer NOT NULL,
	`waited_at` integer
);
--> statement-breakpoint
CREATE INDEX `leavers_since` ON `leavers` (`organization_id`,`since`);--> statement-breakpoint
ALTER TABLE `organizations` ADD `retention` text;--> statement-breakpoint
ALTER TABLE `organizations` ADD `retention_at` integer;--> statement-breakpoint
ALTER TABLE `organizations` ADD `retention_held` integer;--> statement-breakpoint
ALTER TABLE `organizations` ADD `erasing_until` integer;--> statement-breakpoint
ALTER TABLE `organizations` ADD `history_until` integer;--> statement-breakpoint
ALTER TABLE `organizations` ADD `history_left` integer DEFAULT false NOT NULL;--> statement-breakpoint
-- People who were inactive before this was noted count from their last change: later than they left, if it differs.
INSERT INTO `leavers` (`user_id`, `organization_id`, `since`) SELECT `id`, `organization_id`, `updated_at` FROM `users`
  WHERE `status` = 'inactive' AND `id` NOT IN (SELECT `user_id` FROM `erasures`);
--> statement-breakpoint
-- Whatever deactivates a user or brings them back. A clock that was set back between two changes makes nobody leave sooner.
CREATE TRIGGER `users_left` AFTER UPDATE OF `status` ON `users` WHEN old.`status` <> new.`status`
BEGIN
  DELETE FROM `leavers` WHERE `user_id` = new.`id`;
  INSERT INTO `leavers` (`user_id`, `organization_id`, `since`)
    SELECT new.`id`, new.`organization_id`, max(new.`updated_at`, old.`updated_at`) WHERE new.`status` = 'inactive';
END;
