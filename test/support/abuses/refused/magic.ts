/** Declares what there is not. */
import { abuser } from "../abuser.ts";

export default abuser("magic", {}, { authKinds: ["magic" as never], mapping: { id: "no_such_field" } });
