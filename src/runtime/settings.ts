/** Loads the settings of a command. */
import { type Config, type Environment, parseConfig } from "./config.ts";
import { Fault } from "../model/errors.ts";

/** `warn` is called with probable mistakes. Fails with `unprocessable`, with all problems in one message. */
export function loadConfig(env: Environment, warn: (line: string) => void): Config {
  const { config, problems, warnings } = parseConfig(env);
  for (const warning of warnings) warn(warning);
  if (config === null) throw new Fault("unprocessable", problems.join("\n"));
  return config;
}
