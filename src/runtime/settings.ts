/** The settings that a command works with, or a Fault that says every problem in them at once. */
import { type Config, type Environment, parseConfig } from "./config.ts";
import { Fault } from "../model/errors.ts";

/** `warn` is told of what is probably a slip. */
export function loadConfig(env: Environment, warn: (line: string) => void): Config {
  const { config, problems, warnings } = parseConfig(env);
  for (const warning of warnings) warn(warning);
  if (config === null) throw new Fault("unprocessable", problems.join("\n"));
  return config;
}
