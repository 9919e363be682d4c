/** The text of `muster --help`, made from the commands. */
import { SETTINGS } from "../runtime/config.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";

const SUMMARY_COLUMN = 35, SETTINGS_WIDTH = 100;

export const HELP = `Muster keeps an organization's people in step with the systems that know them

${COMMANDS.flatMap(describe).join("\n")}
  muster --version, --help

Exit codes: 0 done, 1 done with rows in error, 2 refused or failed, 3 held by a guard

Settings come from the environment:
${wrap(SETTINGS)}`;

function describe({ name, argument, summary, options }: Command): string[] {
  const usage = `  muster ${name}${argument === undefined ? "" : ` ${argument}`}`;
  return [
    usage.padEnd(SUMMARY_COLUMN) + summary,
    ...Object.entries(options).map(([option, { value, help }]) =>
      `      --${option}${value === undefined ? "" : ` ${value}`}`.padEnd(SUMMARY_COLUMN + 2) + help
    ),
  ];
}

function wrap(names: readonly string[]): string {
  const lines: string[] = [];
  let line = " ";
  for (const [place, name] of names.entries()) {
    if (line.length + name.length > SETTINGS_WIDTH) {
      lines.push(line);
      line = " ";
    }
    line += ` ${name}${place === names.length - 1 ? "" : ","}`;
  }
  return [...lines, line].join("\n");
}
