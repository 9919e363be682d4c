/** Fails for some rows. */
import { abuser, PEOPLE, recordOf } from "./abuser.ts";

const NINE = Array.from({ length: 9 }, (_, i) => ({ ...PEOPLE[0], id: String(i), mail: `ana${i}@acme.test` }));

export default abuser("rows", {
  async *"every third row throws"() {
    yield { origin: "all", records: NINE };
  },
}, {
  normalize(row, { fields }) {
    if (Number(row.cells[0]) % 3 === 0) throw new TypeError(`Cannot read ${row.cells}`);
    return recordOf(row, fields);
  },
});
