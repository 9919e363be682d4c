/** Shows the progress of a run on the error stream: a bar on a terminal, otherwise a line for each phase. */
import type { Terminal } from "../runtime/command.ts";
import type { Progress } from "../runs/stage.ts";

const BAR_CELLS = 24;
const REDRAW_MS = 100;
const CLEAR_LINE = "\r\x1b[2K";

export interface ProgressView {
  show(progress: Progress): void;
  /** Removes the bar from the terminal. */
  end(): void;
}

/** `now` in milliseconds. */
export function createProgress(terminal: Terminal, now: () => number = () => performance.now()): ProgressView {
  let phase = "";
  let drawnAt = -Infinity;
  return {
    show(progress) {
      const isNew = progress.phase !== phase;
      phase = progress.phase;
      if (!terminal.drawsBars) {
        if (isNew) terminal.err(`${capitalize(phase)}\n`);
        return;
      }
      if (!isNew && now() - drawnAt < REDRAW_MS) return;
      drawnAt = now();
      terminal.err(CLEAR_LINE + drawProgress(progress));
    },
    end() {
      if (terminal.drawsBars && phase !== "") terminal.err(CLEAR_LINE);
    },
  };
}

/** One line: `Reading  ████████░░░░  33 %  1,000 of 3,000`. */
export function drawProgress({ phase, done, total }: Progress): string {
  const count = done.toLocaleString("en");
  if (total === null || total <= 0) return `${capitalize(phase)}  ${count}`;
  const share = Math.min(done / total, 1);
  const full = Math.floor(share * BAR_CELLS);
  const bar = "█".repeat(full) + "░".repeat(BAR_CELLS - full);
  return `${capitalize(phase)}  ${bar}  ${Math.floor(share * 100)} %  ${count} of ${total.toLocaleString("en")}`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
