CREATE TABLE `recalls` (
	`organization_id` integer NOT NULL,
	`user_id` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `user_id`)
);
