/** The life of one process, shared by all that writes for it: whatever it still does after its end reaches nobody, as after kill -9. */
export class Mortality {
  #dead = false;
  #deadly: { readonly at: 'append' | 'commit'; left: number; readonly written: boolean } | undefined;

  get dead(): boolean {
    return this.#dead;
  }

  die(): void {
    this.#dead = true;
  }

  /** With that append, or commit of the read models, from now on; 1 is the next. `written`: after it instead of before. */
  dieWith(at: 'append' | 'commit', nth: number, written: boolean): void {
    this.#deadly = { at, left: nth, written };
  }

  /** What was to come does not. */
  spare(): void {
    this.#deadly = undefined;
  }

  mustLive(): void {
    if (this.#dead) throw new DeadProcess();
  }

  /** To be asked before each write; when it answers `dies after` the caller writes and then throws DeadProcess. */
  reach(at: 'append' | 'commit'): 'lives' | 'dies after' {
    this.mustLive();
    if (this.#deadly?.at !== at) return 'lives';
    this.#deadly.left -= 1;
    if (this.#deadly.left > 0) return 'lives';
    this.#dead = true;
    if (!this.#deadly.written) throw new DeadProcess();
    return 'dies after';
  }
}

export class DeadProcess extends Error {
  constructor() {
    super('this process is dead');
  }
}
