/** What both sides must hold alike, each under a name that people may read; the hash of it, never the thing. */
export type Agreement = Readonly<Record<string, string>>;
