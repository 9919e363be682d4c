/** The contract on our own connectors, and on one that others could have written. */
import { after } from "node:test";
import bamboohr from "../../connectors/bamboohr/bamboohr.ts";
import csvUpload from "../../connectors/csv-upload.ts";
import restImport from "../../connectors/rest-import.ts";
import { hireCrowd } from "../support/bamboohr/company.ts";
import { outboundTo, startBambooHR } from "../support/bamboohr/server.ts";
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

const fake = await startBambooHR();
hireCrowd(fake.company, 1_050);
after(() => fake.close());
for (const source of ["auto", "employees", "report", "dataset"]) {
  testConnector(bamboohr, {
    settings: { subdomain: "acme", source },
    secrets: { api_key: fake.key },
    source: { outbound: outboundTo(fake), records: 1_050 },
  });
}
