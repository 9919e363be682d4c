-- The setting `encoding` was "auto" or "windows-1252". It is `charset` now, and any encoding; not set is what "auto" was.
UPDATE `connections` SET `settings` = CASE `settings` ->> '$.encoding'
  WHEN 'windows-1252' THEN json_set(json_remove(`settings`, '$.encoding'), '$.charset', 'windows-1252')
  ELSE json_remove(`settings`, '$.encoding') END
WHERE `connector` IN ('csv-upload', 'sftp-drop') AND `settings` ->> '$.encoding' IS NOT NULL;
