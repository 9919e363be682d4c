/**
 * Words for yes and no, and for people who work here or have left. All are in their comparable form (foldWord), and no
 * word means both: test/reconcile/words.test.ts holds the tables to it. Pure.
 */

/** What a column of yes and no may hold: words of many languages, and what their spreadsheets show for TRUE and FALSE. */
export const YES: readonly string[] = [
  ...["yes", "true", "y", "on", "1", "x"],
  // German, Danish, Swedish, Norwegian and Dutch.
  ...["ja", "wahr", "sand", "sant", "sann", "waar"],
  // French, Spanish, Portuguese and Italian.
  ...["oui", "vrai", "sí", "si", "verdadero", "sim", "verdadeiro", "sì", "vero"],
  // Polish and Czech.
  ...["tak", "prawda", "ano", "pravda"],
  // Finnish.
  ...["kyllä", "kylla", "tosi"],
];

export const NO: readonly string[] = [
  // Also Spanish and Italian.
  ...["no", "false", "n", "off", "0"],
  ...["nein", "falsch", "nej", "falsk", "falskt", "nei", "usann", "nee", "onwaar"],
  // Spanish, Portuguese and Italian have one word for FALSE.
  ...["non", "faux", "falso", "não", "nao"],
  ...["nie", "fałsz", "falsz", "ne", "nepravda"],
  ...["ei", "epätosi", "epatosi"],
];

/** What else a column may say of people who work here. */
export const ACTIVE: readonly string[] = [
  ...["active", "enabled", "employed", "current"],
  ...["on leave", "leave of absence"],
];

/** What else a column may say of people who have left. */
export const INACTIVE: readonly string[] = [
  ...["inactive", "disabled", "terminated", "leaver", "left", "archived", "suspended"],
  ...["resigned", "retired", "deceased"],
];

/** What else a column of employment statuses may say of people who have left. */
export const LEAVERS: readonly string[] = [...INACTIVE, "dismissed", "former", "offboarded", "separated"];

/** What a column of employment statuses holds. */
export const EMPLOYMENT: readonly string[] = [
  ...[...ACTIVE, ...LEAVERS],
  ...["full time", "part time", "ft", "pt", "permanent", "temporary", "regular", "casual", "seasonal"],
  ...["contract", "contractor", "fixed term", "freelance", "intern", "apprentice", "trainee", "working student"],
  ...["hourly", "salaried", "probation", "probationary", "new hire", "hired", "onboarding", "pre hire", "pending"],
  ...["leave", "parental leave", "maternity leave", "furloughed", "notice period", "on notice"],
];
