/** How the commands of connectors show what is a stranger's. Pure. */

/** Such as `users full, departments diff`. */
export function coverageText(coverage: Readonly<Record<string, string>>): string {
  return Object.entries(coverage).map(([entity, covers]) => `${entity} ${covers}`).join(", ");
}

/** The text as one line that cannot move the cursor, or turn the direction of writing. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, " ");
}
