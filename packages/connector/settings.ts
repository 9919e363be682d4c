/** Settings that the hub itself reads values and files by. Needs zod. */
export * from "../../src/connector-settings.ts";
