/** What an event may hold. Nothing above 2^53 and nothing fractional is a number in it: such amounts are strings. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue | undefined };
