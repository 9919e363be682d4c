-- The audit only grows. What an organization leaves behind goes with it, once it is gone itself.
CREATE TRIGGER `audit_entries_stay` BEFORE UPDATE ON `audit_entries`
BEGIN
  SELECT RAISE(ABORT, 'the audit is append-only');
END;
--> statement-breakpoint
CREATE TRIGGER `audit_entries_are_kept` BEFORE DELETE ON `audit_entries`
  WHEN EXISTS (SELECT 1 FROM `organizations` WHERE `id` = old.`organization_id`)
BEGIN
  SELECT RAISE(ABORT, 'the audit is append-only');
END;
--> statement-breakpoint
-- Replacing a row fires no trigger of deleting it.
CREATE TRIGGER `audit_entries_are_appended` BEFORE INSERT ON `audit_entries`
  WHEN EXISTS (SELECT 1 FROM `audit_entries` WHERE `organization_id` = new.`organization_id` AND `seq` >= new.`seq`)
BEGIN
  SELECT RAISE(ABORT, 'the audit is append-only');
END;
--> statement-breakpoint
CREATE TRIGGER `audit_seals_stay` BEFORE UPDATE ON `audit_seals`
BEGIN
  SELECT RAISE(ABORT, 'the audit is append-only');
END;
--> statement-breakpoint
CREATE TRIGGER `audit_seals_are_kept` BEFORE DELETE ON `audit_seals`
  WHEN EXISTS (SELECT 1 FROM `organizations` WHERE `id` = old.`organization_id`)
BEGIN
  SELECT RAISE(ABORT, 'the audit is append-only');
END;
--> statement-breakpoint
CREATE TRIGGER `audit_seals_are_appended` BEFORE INSERT ON `audit_seals`
  WHEN EXISTS (SELECT 1 FROM `audit_seals` WHERE `organization_id` = new.`organization_id` AND `seq` >= new.`seq`)
BEGIN
  SELECT RAISE(ABORT, 'the audit is append-only');
END;
