/**
 * What helps with faults that are no issues: refusals of requests, and ends of runs. What happened is their title. The
 * compiler names a fault that has no text here. No I/O.
 */
import type { IssueCode } from "../codes.ts";
import type { FaultCode } from "../errors.ts";
import type { Help } from "./help.ts";

type FaultHelp = Omit<Help, "when" | "example"> & { readonly example: Help["example"] | null };

const NOTHING = "Nothing was changed";
const REQUEST = "A request";

export const FAULT_HELP: Readonly<Record<Exclude<FaultCode, IssueCode>, FaultHelp>> = {
  // Refusals of requests
  merged: {
    then: "The answer leads on to the record that has everything of the person now; nothing was changed",
    todo: "Use the id of that record from now on: it is in the header Location",
    example: { of: REQUEST, before: "GET /v1/users/usr_7", after: "GET /v1/users/usr_3" },
  },
  invalid_request: {
    then: NOTHING,
    todo: "Correct each place that the answer's list of errors names, and send the request again",
    example: { of: REQUEST, before: "GET /v1/users?limit=many", after: "GET /v1/users?limit=50" },
  },
  malformed_json: {
    then: `${NOTHING}: the body could not be read`,
    todo:
      "Correct the place that the message names, and send the body as UTF-8; a program that writes JSON gets it right",
    example: { of: "A body", before: '{"name": "HR",}', after: '{"name": "HR"}' },
  },
  unauthorized: {
    then: NOTHING,
    todo: "Send a token that is complete and neither expired nor revoked; make a new one if you are not sure",
    example: { of: "A header", before: "Authorization: mus_…", after: "Authorization: Bearer mus_…" },
  },
  forbidden: {
    then: NOTHING,
    todo:
      "Use a token or a role that has the scope in the message, or ask the administrator of your organization for it",
    example: { of: "Scopes of a token, to upload a file", before: "runs:read", after: "runs:read, drops:write" },
  },
  not_found: {
    then: `${NOTHING}. What is asked for was deleted, never existed, or belongs to another organization`,
    todo:
      "Compare the address and the id with what the list shows, and check that the token is one of the same organization",
    example: { of: REQUEST, before: "GET /v1/user/usr_3", after: "GET /v1/users/usr_3" },
  },
  method_not_allowed: {
    then: NOTHING,
    todo: "Use one of the methods that the message names",
    example: { of: REQUEST, before: "PUT /v1/users/usr_3", after: "PATCH /v1/users/usr_3" },
  },
  conflict: {
    then: NOTHING,
    todo:
      "Read again what the request is about. Where a value is taken, use another; where something is in progress, wait " +
      "until it ends; where it was decided already, nothing is left to do",
    example: {
      of: "Email of a second person",
      before: "ana@acme.test, which Ana Sol has",
      after: "bo@acme.test",
    },
  },
  plan_changed: {
    then: "Nothing was applied. Where it was a run's, the run is planned again with what is known now",
    todo: "Look at the new plan, and approve it if it is right; an approval by API needs its new plan_hash",
    example: null,
  },
  idempotency_key_in_use: {
    then: "This second request did nothing; the first goes on",
    todo: "Wait a second and send it again with the same key: you get the answer to the first",
    example: null,
  },
  stale: {
    then: NOTHING,
    todo: "Read the thing again, look at what others changed, and send your change with the ETag that you get",
    example: { of: "A header", before: 'If-Match: "3"', after: 'If-Match: "4"' },
  },
  unsupported_media_type: {
    then: `${NOTHING}: the body was not read`,
    todo: "Name in Content-Type what the body is, as one of those that the message names",
    example: { of: "A header", before: "Content-Type: text/plain", after: "Content-Type: application/json" },
  },
  unprocessable: {
    then: NOTHING,
    todo:
      "Correct what the message names: the form of the request is right, and a value in it cannot be used, such as one " +
      "that names something that does not exist",
    example: { of: "A body", before: '{"connector": "csv-uplaod"}', after: '{"connector": "csv-upload"}' },
  },
  idempotency_key_reused: {
    then: "Nothing was changed by this request; the first with the key was done",
    todo: "Use a new key for each new request, and the same one only to send the same request again",
    example: { of: "A header", before: "Idempotency-Key: import-1", after: "Idempotency-Key: import-2" },
  },
  rate_limited: {
    then: NOTHING,
    todo: "Wait for as many seconds as the header Retry-After has. Send many people in one list instead of one by one",
    example: {
      of: "Requests for two people",
      before: "POST /v1/users/import twice, each with one person",
      after: "POST /v1/users/import once, with both",
    },
  },
  too_many_in_flight: {
    then: NOTHING,
    todo: "Wait until one of your requests of this kind has ended, and send it again; send fewer at a time",
    example: null,
  },
  queue_full: {
    then: "What was sent is not stored, and no run was made of it",
    todo:
      "Send it again once some of the runs that wait have ended. Approve or cancel a run that waits for a decision: others may wait behind it",
    example: null,
  },
  // Ends of runs
  rows_rejected: {
    then: "Nobody changes: each row has an error, and the report has the reason for each",
    todo:
      "Open the report: mostly it is one mistake in all rows. Correct it there or in the source, and send the file again",
    example: { of: "Hire date in every row", before: "31 Jan", after: "2026-01-31" },
  },
  duplicate_input: {
    then: "The file was skipped, as nothing has changed since; every row of it is used already",
    todo: "Nothing, if it is meant. If you expected changes, check that the export writes today's data",
    example: {
      of: "The file of today",
      before: "people.csv, the same as yesterday",
      after: "people.csv, exported again",
    },
  },
  content_erased: {
    then: "The file is not used, so that the person does not come back",
    todo: "Export it again without the people who were erased",
    example: {
      of: "Lines of a file, after Bo Lind was erased",
      before: "17,ana@acme.test\n18,bo@acme.test",
      after: "17,ana@acme.test",
    },
  },
  content_expired: {
    then: "Nobody changes: it waited longer than files are kept",
    todo: "Send the file again",
    example: null,
  },
  run_failed: {
    then:
      "The run was tried again and again, and ended. Something went wrong in Muster itself; the run's counts say what was done before",
    todo: "Send the file again. If it fails once more, show your administrator the run: the hub's log has the cause",
    example: null,
  },
  // Of the hub itself
  storage_full: {
    then: "Nothing was stored",
    todo: "Ask the operator of the hub to free disk space, and send it again then",
    example: null,
  },
  unavailable: {
    then: "Nothing was done, or the message says that it may have been done",
    todo:
      "Try again after some seconds. Where it may have been done, look first; if it goes on, ask the operator of the hub",
    example: null,
  },
  internal: {
    then: "The request was not done to its end; the hub's log has the cause under the request's id",
    todo:
      "Look at what was done, and try again a little later. If it fails once more, give the operator of the hub the id of the request, which " +
      "is in the answer",
    example: null,
  },
};
