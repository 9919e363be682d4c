/** The pages of the settings, and who can use which. No I/O. */
import { allows, type Scope } from "../../../model/scope.ts";

interface SettingsPage {
  /** Below the path of the settings. */
  readonly path: string;
  readonly title: string;
  readonly needs: readonly Scope[];
}

/** The pages, in the order of the navigation. */
export const PAGES: readonly SettingsPage[] = [
  { path: "/organization", title: "Organization", needs: ["admin"] },
  { path: "/members", title: "Members", needs: ["admin"] },
  { path: "/tokens", title: "Tokens", needs: ["tokens:write"] },
  { path: "/webhooks", title: "Webhooks", needs: ["webhooks:read"] },
  { path: "/mails", title: "Mails", needs: ["runs:read", "connections:write"] },
  { path: "/audit", title: "Audit", needs: ["audit:read"] },
];

/** The pages that somebody with these scopes can use. */
export function settingsFor(scopes: readonly string[]): SettingsPage[] {
  return PAGES.filter(({ needs }) => needs.every((scope) => allows(scopes, scope)));
}
