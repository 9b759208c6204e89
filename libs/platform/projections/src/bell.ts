/** Wakes whoever waits now; rung while nobody waits, it is heard by the next one to wait. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;
  #waiting: Promise<void> | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves at the next ring, or at once when it was rung since `heard`. */
  rung(): Promise<void> {
    if (this.#rung) return Promise.resolve();
    this.#waiting ??= new Promise((resolve) => (this.#wake = resolve));
    return this.#waiting;
  }

  heard(): void {
    if (!this.#rung) return;
    this.#rung = false;
    this.#wake = undefined;
    this.#waiting = undefined;
  }
}
