/** One connection of a worker that was greeted. What it holds is its own, and is void when it leaves. */
export interface WorkerSession {
  /** Name of the process; another one after each start. */
  readonly holder: string;
  /** Aborted when the connection ends. */
  readonly left: AbortSignal;
}

/** Workers that are connected now. */
export class WorkerSessions {
  readonly #cuts = new Map<WorkerSession, () => void>();

  list(): readonly WorkerSession[] {
    return [...this.#cuts.keys()];
  }

  /** A process has one connection: one that comes again, without its old one having ended here, replaces it. */
  join(holder: string, left: AbortSignal, cut: () => void): WorkerSession {
    for (const [other, end] of [...this.#cuts]) if (other.holder === holder) end();
    const session: WorkerSession = { holder, left };
    this.#cuts.set(session, cut);
    left.addEventListener('abort', () => this.#cuts.delete(session), { once: true });
    return session;
  }
}
