/** Maps a column to a field that the hub does not have. */
import honest from "./honest.ts";

export default { ...honest, name: "no-such-field", mapping: { ...honest.mapping, job: "job_title" } };
