/** What tries a connector without a hub. */
export { type Bundle, bundleConnector } from "../../src/runtime/sandbox/bundle.ts";
export { type Child, type ChildOptions, startChild } from "../../src/runtime/sandbox/child.ts";
export { findDeno } from "../../src/runtime/sandbox/deno-program.ts";
