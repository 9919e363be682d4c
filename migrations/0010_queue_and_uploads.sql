CREATE INDEX `drops_unsealed` ON `drops` (`organization_id`) WHERE sha256 is null;--> statement-breakpoint
CREATE INDEX `runs_queued` ON `runs` (`organization_id`) WHERE status = 'queued';