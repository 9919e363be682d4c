/**
 * New managers by candidate: a user, none, or unchanged. A column of numbers beside the candidates, needed only while
 * managers are settled. No I/O.
 */
import { type Candidates, managerBefore } from "./candidates.ts";

export type NewManagers = Float64Array;

const NONE = 0, STAYS = NaN;

/** All managers are unchanged at first. */
export function createNewManagers(candidates: Candidates): NewManagers {
  return new Float64Array(candidates.size).fill(STAYS);
}

/** Null: none. */
export function setManager(managers: NewManagers, candidate: number, manager: number | null): void {
  managers[candidate] = manager ?? NONE;
}

export function keepManager(managers: NewManagers, candidate: number): void {
  managers[candidate] = STAYS;
}

/** Whether a manager, or none, is set for the candidate, even if it equals the old one. */
export function isSet(managers: NewManagers, candidate: number): boolean {
  return !Number.isNaN(managers[candidate]!);
}

/** The manager that is set; null: none. */
export function managerAfter(managers: NewManagers, candidate: number): number | null {
  const manager = managers[candidate]!;
  return manager === NONE ? null : manager;
}

/** Whether the candidate's user gets another manager than before, or loses it. */
export function changesManager(managers: NewManagers, candidates: Candidates, candidate: number): boolean {
  return isSet(managers, candidate) && managerAfter(managers, candidate) !== managerBefore(candidates, candidate);
}
