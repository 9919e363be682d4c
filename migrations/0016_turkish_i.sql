-- İ, I and ı are one letter where names and addresses are compared. Where two would become the same, both stay as they are.
UPDATE OR IGNORE `departments` SET `folded` = replace(replace(`folded`, 'i̇', 'i'), 'ı', 'i')
WHERE `folded` LIKE '%i̇%' OR `folded` LIKE '%ı%';
--> statement-breakpoint
UPDATE OR IGNORE `users` SET `email` = replace(replace(`email`, 'i̇', 'i'), 'ı', 'i')
WHERE `email` LIKE '%i̇%' OR `email` LIKE '%ı%';
--> statement-breakpoint
UPDATE OR IGNORE `links` SET `source_key` = replace(replace(`source_key`, 'i̇', 'i'), 'ı', 'i')
WHERE `connection_id` IN (SELECT `id` FROM `connections` WHERE `key` = 'email')
  AND (`source_key` LIKE '%i̇%' OR `source_key` LIKE '%ı%');
