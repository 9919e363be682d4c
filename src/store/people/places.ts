/**
 * Every place where a person may be stored: one list for what reads all about a person (people/record.ts) and for what
 * erases them (erasure.ts). Neither compiles without each of its places, and a test holds the list to the tables that
 * there are: a new table is named here, with what the record shows of it and what the erasure does with it, or with the
 * reason why nobody is in it.
 */

/** A part of the record; null: it shows nothing of the place. */
type Shown = string | null;

interface Place {
  readonly tables: readonly string[];
  /** The part of the record that shows it. */
  readonly record: Shown;
  /** The step of the erasure that empties it; null: it has ids alone, which stay. */
  readonly erase: string | null;
  /** Why it is not in the record, or stays when the person is erased. */
  readonly because?: string;
}

export const PLACES = [
  { tables: ["users"], record: "user", erase: "user" },
  { tables: ["users"], record: "fields", erase: "user" },
  { tables: ["users"], record: "reports", erase: null, because: "others keep the id of their manager" },
  { tables: ["leavers"], record: "user", erase: "user" },
  { tables: ["user_words", "user_words_content"], record: null, erase: "links", because: "words of the user's values" },
  { tables: ["links", "pending_managers"], record: "links", erase: "links" },
  { tables: ["scim_users", "group_members"], record: "scim", erase: "links" },
  { tables: ["identity_decisions"], record: "decisions", erase: "links" },
  { tables: ["merges"], record: "merged", erase: "links" },
  { tables: ["change_pages", "page_bodies", "page_managers"], record: "history", erase: "changes" },
  { tables: ["change_pages", "page_bodies", "page_managers"], record: "plans", erase: "changes" },
  { tables: ["issue_pages"], record: "issues", erase: "runs" },
  {
    tables: ["runs", "fetches"],
    record: null,
    erase: "runs",
    because: "errors and columns of whole inputs; the record names their rows and files",
  },
  { tables: ["run_names"], record: null, erase: "names", because: "digests of what rows are known by" },
  { tables: ["events"], record: "events", erase: "events" },
  { tables: ["deliveries"], record: "events", erase: null, because: "they have ids and times alone" },
  {
    tables: ["delivery_attempts"],
    record: null,
    erase: "answers",
    because: "answers of receivers; the record names the deliveries",
  },
  {
    tables: ["idempotency_answers"],
    record: null,
    erase: "answers",
    because: "sealed answers to requests of the last 24 hours",
  },
  { tables: ["drops", "drop_chunks"], record: "drops", erase: "files" },
  {
    tables: ["bridge_files", "connections"],
    record: null,
    erase: "files",
    because: "names and digests of files; the record names the files that are kept",
  },
  {
    tables: ["bridge_states", "bridge_checks", "mails", "connection_clocks", "connection_upgrades"],
    record: null,
    erase: "words",
    because: "texts of servers and sources, which name somebody by chance",
  },
  { tables: ["audit_entries"], record: "audit", erase: null, because: "it has ids and never a value" },
  { tables: ["erasures", "tree_erasures"], record: "erasure", erase: null, because: "they have ids and counts alone" },
] as const satisfies readonly Place[];

type Places = (typeof PLACES)[number];
/** A part of a person's record that is read from a place. */
export type RecordPart = Exclude<Places["record"], null>;
/** A step of an erasure. */
export type EraseStep = Exclude<Places["erase"], null>;

/** Tables in which nobody is, with the reason. */
export const NOBODY_IN: Readonly<Record<string, string>> = {
  sequences: "numbers",
  hub_marks: "the hub's own id",
  schema_versions: "versions of the hub",
  organizations: "settings; its contacts are addresses of its staff",
  tokens: "names of tokens",
  custom_fields: "names of fields",
  departments: "names of departments",
  groups: "names of groups",
  recalls: "ids that the next plan looks at and removes",
  staged_users: "empty outside of a batch",
  search_cursors: "numbers",
  search_removals: "numbers",
  tallies: "sums",
  senders: "leases of processes",
  connection_secrets: "sealed secrets",
  authorizations: "log-ins of admins that are in progress",
  pgp_keys: "keys",
  master_keys: "ids of keys",
  sftp_logins: "log-ins of connections",
  sftp_keys: "keys",
  bridges: "processes",
  bridge_leases: "leases of processes",
  webhook_endpoints: "addresses of receivers",
  members: "staff who sign in to the console; an admin removes them",
  sessions: "log-ins of the console",
  sign_in_links: "links to the console, by their digests",
  connection_templates: "settings of connections",
  template_uses: "settings of connections",
  run_links: "links to runs, by their digests",
  link_revocations: "links to runs, by their digests",
  mail_states: "when contacts were mailed",
  idempotency_keys: "digests of keys",
  audit_seals: "digests of the audit",
};
