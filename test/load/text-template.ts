/** Wherever a JSON text holds `value` as a string; with `under`, only as the value of these fields. */
export interface Place {
  readonly value: string;
  readonly under?: readonly string[];
}

/** A JSON text of which some strings differ from copy to copy; what is put in is as long as what stood there. */
export class TextTemplate {
  readonly #text: Buffer;
  readonly #places: readonly (readonly number[])[];

  constructor(text: string, places: readonly Place[]) {
    this.#text = Buffer.from(text, 'latin1');
    this.#places = places.map(({ value, under }) =>
      (under ?? ['']).flatMap((field) => {
        const mark = field === '' ? `"${value}"` : `"${field}":"${value}"`;
        return startsOf(this.#text, mark).map((start) => start + mark.length - 1 - value.length);
      }),
    );
  }

  get bytes(): number {
    return this.#text.length;
  }

  /** A value for each place, in their order. */
  filled(values: readonly string[]): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.#text.length);
    this.#text.copy(copy);
    for (const [place, value] of values.entries()) for (const start of this.#places[place] ?? []) copy.write(value, start, 'latin1');
    return copy;
  }
}

function startsOf(text: Buffer, mark: string): number[] {
  const starts: number[] = [];
  for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) starts.push(at);
  return starts;
}
