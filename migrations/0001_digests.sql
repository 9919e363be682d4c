-- A digest says "this row and this user agree". Whoever changes the user makes that unknown, whatever the way.
CREATE TRIGGER `users_version_clears_digests` AFTER UPDATE OF `version` ON `users` WHEN old.`version` <> new.`version`
BEGIN
  UPDATE `links` SET `digest` = NULL, `canonical` = NULL WHERE `user_id` = new.`id` AND `digest` IS NOT NULL;
END;
