/** Asks for a secret that it does not declare. */
import { abuser } from "../abuser.ts";

export default abuser("undeclared-secret", {}, { auth: () => ({ kind: "bearer", token: { secret: "other" } }) });
