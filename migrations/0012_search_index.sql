CREATE TABLE `search_cursors` (
	`organization_id` integer PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `search_removals` (
	`organization_id` integer PRIMARY KEY NOT NULL,
	`after` integer NOT NULL,
	`until` integer NOT NULL
);
--> statement-breakpoint
-- People's words, by the user's id. The words are kept beside the index, for it has to be told what to take out.
CREATE VIRTUAL TABLE `user_words` USING fts5(words, detail = none, columnsize = 0, tokenize = 'ascii');
--> statement-breakpoint
-- What is taken out is gone at once, instead of with some later merge of the index.
INSERT INTO `user_words` (`user_words`, `rank`) VALUES ('secure-delete', 1);
