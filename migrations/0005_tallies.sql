-- What /metrics says of runs, counted in the very write that ends one: the same for every process, and after a restart.
CREATE TRIGGER `runs_end_tallied` AFTER UPDATE OF `status` ON `runs`
WHEN new.`status` IN ('succeeded', 'partial', 'failed', 'cancelled', 'superseded', 'skipped')
  AND old.`status` NOT IN ('succeeded', 'partial', 'failed', 'cancelled', 'superseded', 'skipped')
BEGIN
  INSERT INTO `tallies` (`name`, `label`, `value`) VALUES ('muster_runs_total', new.`status`, 1)
    ON CONFLICT (`name`, `label`) DO UPDATE SET `value` = `value` + excluded.`value`;
  INSERT INTO `tallies` (`name`, `label`, `value`)
    SELECT 'muster_rows_total', c.key, c.value FROM json_each(new.`counts`) c
    WHERE c.key IN ('created', 'updated', 'unchanged', 'deactivated', 'reactivated', 'skipped', 'failed') AND c.value > 0
      AND (old.`status` = 'applying' OR (c.key = 'failed' AND new.`error` ->> 'code' = 'rows_rejected'))
    ON CONFLICT (`name`, `label`) DO UPDATE SET `value` = `value` + excluded.`value`;
END;
--> statement-breakpoint
CREATE TRIGGER `runs_apply_tallied` AFTER UPDATE OF `status` ON `runs`
WHEN old.`status` = 'applying' AND new.`status` IN ('succeeded', 'partial', 'failed', 'cancelled')
  AND new.`applying_at` IS NOT NULL AND new.`finished_at` IS NOT NULL
BEGIN
  INSERT INTO `tallies` (`name`, `label`, `value`) VALUES
    ('muster_run_apply_duration_seconds_bucket', coalesce((SELECT min(b.value) FROM json_each('[0.1,0.5,1,2.5,5,10,30,60,300,900]') b
      WHERE b.value >= max(0, new.`finished_at` - new.`applying_at`) / 1000.0), '+Inf'), 1),
    ('muster_run_apply_duration_seconds_sum', '', max(0, new.`finished_at` - new.`applying_at`) / 1000.0)
    ON CONFLICT (`name`, `label`) DO UPDATE SET `value` = `value` + excluded.`value`;
END;
--> statement-breakpoint
CREATE TRIGGER `runs_plan_tallied` AFTER UPDATE OF `planned_at` ON `runs`
WHEN new.`planned_at` IS NOT NULL AND old.`planned_at` IS NULL AND new.`planning_at` IS NOT NULL
BEGIN
  INSERT INTO `tallies` (`name`, `label`, `value`) VALUES
    ('muster_run_plan_duration_seconds_bucket', coalesce((SELECT min(b.value) FROM json_each('[0.1,0.5,1,2.5,5,10,30,60,300,900]') b
      WHERE b.value >= max(0, new.`planned_at` - new.`planning_at`) / 1000.0), '+Inf'), 1),
    ('muster_run_plan_duration_seconds_sum', '', max(0, new.`planned_at` - new.`planning_at`) / 1000.0)
    ON CONFLICT (`name`, `label`) DO UPDATE SET `value` = `value` + excluded.`value`;
END;
--> statement-breakpoint
CREATE TRIGGER `deliveries_end_tallied` AFTER UPDATE OF `status` ON `deliveries`
WHEN old.`status` = 'pending' AND new.`status` IN ('succeeded', 'failed')
BEGIN
  INSERT INTO `tallies` (`name`, `label`, `value`) VALUES ('muster_deliveries_total', new.`status`, 1)
    ON CONFLICT (`name`, `label`) DO UPDATE SET `value` = `value` + excluded.`value`;
END;
