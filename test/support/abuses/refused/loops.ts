/** Its hosts are never found out. */
import { abuser, loop } from "../abuser.ts";

export default abuser("loops-at-once", {}, { hosts: loop });
