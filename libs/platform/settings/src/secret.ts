import { inspect } from 'node:util';

/** What nobody may read by accident: every way of printing it says `[secret]`. `reveal` is the one way in. */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** Only where it is used: never into a log, an error, an event or an answer. */
  reveal(): T {
    return this.#value;
  }

  /** What is made of it is as secret. */
  map<Other>(to: (value: T) => Other): Secret<Other> {
    return new Secret(to(this.#value));
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }

  [Symbol.toPrimitive](): string {
    return '[secret]';
  }
}
