import { z } from 'zod';
import { Secret } from './secret.ts';

export interface AboutSetting {
  /** One sentence for the reference: what it does, with its unit. */
  readonly description: string;
  /** The environment variable that sets it; of a secret also with `_FILE` behind it, naming a file that holds it. */
  readonly env?: string;
  /** What the reference prints as the default where it is not a plain value of the schema. */
  readonly defaultText?: string;
}

const abouts = z.registry<AboutSetting>();
const secrets = z.registry<{ readonly secret: true }>();

/** One setting: a zod schema (with its `.default()` or `.optional()`) and what people must know about it. */
export function setting<S extends z.ZodType>(schema: S, about: AboutSetting): S {
  const described = schema.clone(undefined, { parent: true });
  abouts.add(described, about);
  return described;
}

/** The parsed value is a `Secret`: `secret(z.url())`, `z.array(secret(z.url()))`. */
export function secret<S extends z.ZodType>(schema: S): z.ZodPipe<S, z.ZodTransform<Secret<z.output<S>>, z.output<S>>> {
  const wrapped = schema.transform((value) => new Secret(value));
  secrets.add(wrapped, { secret: true });
  return wrapped;
}

export function aboutOf(schema: z.ZodType): AboutSetting | undefined {
  return abouts.get(schema);
}

export function isSecret(schema: z.ZodType): boolean {
  return secrets.get(schema) !== undefined;
}
