import { constants, getPriority, setPriority } from 'node:os';

/** A third of the weight of a thread that keeps its priority: enough that those go first, and this one never starves. */
const STEPS = 5;

/**
 * Called in a thread that has much to compute and nobody waiting for each step of it: whoever answers requests gets a
 * core before it does. Costs nothing while cores are free. Linux alone gives threads priorities of their own; elsewhere
 * the call would slow the whole process, so it does nothing there.
 */
export function giveWayToRequests(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + STEPS));
  } catch {
    // A sandbox may forbid it: the thread is then one among equals.
  }
}
