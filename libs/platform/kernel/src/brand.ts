declare const brand: unique symbol;

/** A primitive that only its own constructor function can make, so two kinds of id never mix. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
