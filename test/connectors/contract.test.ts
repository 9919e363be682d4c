/** The contract on our own connectors, and on one that others could have written. */
import { after } from "node:test";
import csvUpload from "../../connectors/csv-upload.ts";
import restImport from "../../connectors/rest-import.ts";
import { testConnector } from "../support/contract.ts";
import { loopback } from "../support/receiver.ts";
import { paged, startSource } from "../support/source.ts";

testConnector(csvUpload, { settings: {} });
testConnector(restImport, { settings: {} });

const source = await startSource(
  Array.from({ length: 5 }, (_, i) => ({ id: String(i), mail: `p${i}@acme.test`, first: "P", last: String(i) })),
);
after(() => source.close());
testConnector(paged, {
  settings: { host: source.host },
  secrets: { api_key: source.key },
  source: { outbound: loopback, records: 5 },
});
