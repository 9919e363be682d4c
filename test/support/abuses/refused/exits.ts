/** Its import ends the process. */
import { abuser, Deno } from "../abuser.ts";

Deno.exit(0);
export default abuser("exits", {});
