/** The page about the interface of connectors is what its docstrings say. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DOCUMENT, interfaceDocument } from "../../packages/interface.ts";

test("the page about the interface has every part of it with its docstring, as `npm run interface` writes it", () => {
  const document = interfaceDocument();
  assert.equal(readFileSync(DOCUMENT, "utf8"), document, "run `npm run interface`");
  const headings = [...document.matchAll(/^###? (.*)$/gm)].map(([, title]) => title!.toLowerCase());
  const anchors = headings.map((title, i) => {
    const before = headings.slice(0, i).filter((other) => other === title).length;
    return before === 0 ? title : `${title}-${before}`;
  });
  const links = [...document.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor!);
  assert.ok(links.length > 100);
  assert.deepEqual(links.filter((anchor) => !anchors.includes(anchor)), [], "links that lead nowhere");
});
