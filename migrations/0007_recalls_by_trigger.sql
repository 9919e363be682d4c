-- Whoever stops being found by an email, an employee_id or a key: rows that name them as manager are looked at again.
CREATE TRIGGER `users_recalled` AFTER UPDATE OF `email`, `employee_id`, `status` ON `users`
WHEN old.`email` IS NOT new.`email` OR old.`employee_id` IS NOT new.`employee_id` OR old.`status` <> new.`status`
BEGIN
  INSERT OR IGNORE INTO `recalls` (`organization_id`, `user_id`) VALUES (new.`organization_id`, new.`id`);
END;
--> statement-breakpoint
CREATE TRIGGER `links_recalled` AFTER UPDATE OF `user_id` ON `links` WHEN old.`user_id` <> new.`user_id`
BEGIN
  INSERT OR IGNORE INTO `recalls` (`organization_id`, `user_id`)
    SELECT `organization_id`, `id` FROM `users` WHERE `id` = old.`user_id`;
END;
