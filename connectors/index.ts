/** The connectors that Muster brings, one line each. Doors add those of others and hand them on as a registry. */
import bamboohr from "./bamboohr/bamboohr.ts";
import csvUpload from "./csv-upload.ts";
import restImport from "./rest-import.ts";
import sftpDrop from "./sftp-drop.ts";

export const connectors = [
  bamboohr,
  csvUpload,
  restImport,
  sftpDrop,
];
