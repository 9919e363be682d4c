/** Replaces what all code of a process has in common. */
import { abuser } from "./abuser.ts";

const nobody = { people: [], next: null, total: 0 };

export default abuser("pollutes", {
  async *prototypes() {
    Response.prototype.json = () => Promise.resolve(nobody);
    JSON.parse = () => nobody;
    JSON.stringify = () => "{}";
    Array.prototype.map = () => [];
    Promise.prototype.then = () => Promise.reject(new Error());
    Object.assign(Object.prototype, { settings: "polluted", records: [], page: 1, value: 1 });
    yield { origin: "all", records: [{ id: "1", mail: "ana@acme.test", first: "Ana", last: "Lund" }] };
  },
});
