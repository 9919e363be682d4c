export type IssueCode = string;
