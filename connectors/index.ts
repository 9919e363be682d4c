/** Muster's own connectors, one line each. Entry points add those of others and pass all of them on as a registry. */
import bamboohr from "./bamboohr/bamboohr.ts";
import csvUpload from "./csv-upload.ts";
import restImport from "./rest-import.ts";
import scim from "./scim.ts";
import sftpDrop from "./sftp-drop.ts";

export const connectors = [bamboohr, csvUpload, restImport, scim, sftpDrop];
