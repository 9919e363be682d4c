/** Links of a navigation, of which one may be where the reader is. No I/O. */
import { html } from "hono/html";
import type { Html } from "../pages/frame.ts";

export interface Link {
  readonly href: string;
  readonly title: string;
  readonly isHere: boolean;
}

export function viewLinks(links: readonly Link[]): Html {
  return html`${links.map(viewLink)}`;
}

function viewLink({ href, title, isHere }: Link): Html {
  return html`<li><a href="${href}"${
    isHere
      ? html`
        aria-current="page"
      `
      : ""
  }>${title}</a></li>`;
}
