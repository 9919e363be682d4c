/** What a SCIM request can be refused with: the status and `scimType` of each kind (RFC 7644, section 3.12; RFC 9865). */

const KINDS = {
  invalidFilter: { status: 400, scimType: "invalidFilter" },
  tooMany: { status: 400, scimType: "tooMany" },
  uniqueness: { status: 409, scimType: "uniqueness" },
  mutability: { status: 400, scimType: "mutability" },
  invalidSyntax: { status: 400, scimType: "invalidSyntax" },
  invalidPath: { status: 400, scimType: "invalidPath" },
  noTarget: { status: 400, scimType: "noTarget" },
  invalidValue: { status: 400, scimType: "invalidValue" },
  invalidCursor: { status: 400, scimType: "invalidCursor" },
  expiredCursor: { status: 400, scimType: "expiredCursor" },
  forbidden: { status: 403, scimType: null },
  notFound: { status: 404, scimType: null },
  stale: { status: 412, scimType: null },
  held: { status: 429, scimType: null },
  notImplemented: { status: 501, scimType: null },
  unavailable: { status: 503, scimType: null },
} as const;

export type ScimErrorKind = keyof typeof KINDS;

/** A refused request. The message is for the people who run the identity provider: it names the thing and what is wrong. */
export class ScimError extends Error {
  readonly kind: ScimErrorKind;
  readonly status: number;
  readonly scimType: string | null;
  /** Seconds until the same request makes sense again; null: not known. */
  readonly retryAfterS: number | null;

  constructor(
    kind: ScimErrorKind,
    detail: string,
    options: { cause?: unknown; retryAfterS?: number } = {},
  ) {
    super(
      detail,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "ScimError";
    this.kind = kind;
    this.status = KINDS[kind].status;
    this.scimType = KINDS[kind].scimType;
    this.retryAfterS = options.retryAfterS ?? null;
  }
}

export const ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error";

/** The body of a refusal. `status` is a text, as the RFC has it. */
export function errorBody(
  status: number,
  detail: string,
  scimType: string | null = null,
) {
  return {
    schemas: [ERROR_SCHEMA],
    status: String(status),
    ...(scimType === null ? {} : { scimType }),
    detail,
  };
}
