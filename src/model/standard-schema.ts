/**
 * Standard Schema and Standard JSON Schema: what schema libraries have in common (zod, valibot, arktype and others). Types
 * alone, as their public specification at standardschema.dev has them.
 */

/** A schema that checks a value. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** What the library offers to others, which have no other way to a schema. */
  readonly "~standard": {
    readonly version: 1;
    /** Name of the library. */
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** For types alone; not there at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** Without `issues` the value is valid. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** What is wrong with a value. */
export interface StandardIssue {
  /** What it should be, as a person reads it: `should be a host, such as hr.example.com`. */
  readonly message: string;
  /** The place in the value, from outside to inside; absent: the value as a whole. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The part of Standard JSON Schema that gives the JSON Schema of what a schema accepts. May throw. */
export interface StandardJsonSchema {
  /** `target`: the version of JSON Schema, such as `draft-2020-12`. */
  readonly input: (options: { readonly target: string }) => Readonly<Record<string, unknown>>;
}
