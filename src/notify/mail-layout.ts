/**
 * Lays out a mail: blocks in, plain text and HTML out. Both are made from the same blocks, so they have the same content.
 * All text is reduced to one line and escaped here. No I/O.
 */
import { headerText, oneLine } from "./header-text.ts";

export type Block =
  | { readonly p: string }
  | { readonly heading: string }
  | { readonly list: readonly string[] }
  | { readonly link: string; readonly to: string; readonly strong?: boolean }
  | { readonly small: string };

export interface Words {
  readonly subject: string;
  readonly blocks: readonly Block[];
}

export interface MailWords {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const MAX_SUBJECT = 150;

export function layOut({ subject, blocks }: Words): MailWords {
  const title = headerText(subject, MAX_SUBJECT);
  return {
    subject: title,
    text: `${blocks.map(plain).join("\n\n")}\n`,
    html: page(title, blocks.map(rich).join("\n")),
  };
}

function plain(block: Block): string {
  if ("p" in block) return oneLine(block.p);
  if ("heading" in block) {
    const heading = oneLine(block.heading);
    return `${heading}\n${"-".repeat(Math.min(60, heading.length))}`;
  }
  if ("list" in block) return block.list.map((item) => `* ${oneLine(item)}`).join("\n");
  if ("link" in block) return `${block.link}:\n${block.to}`;
  return oneLine(block.small);
}

const STRONG_LINK =
  "display:inline-block;background:#14532d;color:#ffffff;padding:11px 18px;border-radius:9px;font-weight:600;text-decoration:none";

function rich(block: Block): string {
  if ("p" in block) return `<p style="margin:0 0 16px">${escapeHtml(block.p)}</p>`;
  if ("heading" in block) {
    return `<h2 style="font-size:17px;line-height:1.3;margin:24px 0 8px">${escapeHtml(block.heading)}</h2>`;
  }
  if ("list" in block) {
    const items = block.list.map((item) => `<li style="margin:0 0 8px">${escapeHtml(item)}</li>`);
    return `<ul style="margin:0 0 16px;padding-left:22px">${items.join("")}</ul>`;
  }
  if ("link" in block) {
    const style = block.strong ? STRONG_LINK : "color:#0b57a4";
    const link = `<a href="${escapeHtml(block.to)}" style="${style}">${escapeHtml(block.link)}</a>`;
    return `<p style="margin:0 0 16px">${link}</p>`;
  }
  return `<p style="margin:16px 0 0;font-size:13px;color:#555e66">${escapeHtml(block.small)}</p>`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${
    escapeHtml(title)
  }</title></head>
<body style="margin:0;padding:24px 16px;background:#ffffff;color:#1d2327;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif">
<div style="max-width:600px;margin:0 auto;overflow-wrap:anywhere;word-break:break-word">
<h1 style="font-size:21px;line-height:1.3;margin:0 0 16px">${escapeHtml(title)}</h1>
${body}
</div></body></html>
`;
}

function escapeHtml(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
