import { z } from 'zod';
import { answerDocOf, type AnswerDoc } from './answers.ts';
import { commandHeaders, takesCommandHeaders } from './command-headers.ts';
import { requestSchemas } from './request-schema.ts';
import type { Route } from './route-table.ts';

type Json = { [key: string]: unknown };

export interface ApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

const PROBLEM = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().describe('Stable name of the trouble; match on this.'),
    retryable: z.boolean().describe('The very same request may succeed later.'),
    hint: z.string().optional().describe('The way out.'),
    facts: z.record(z.string(), z.unknown()).optional(),
    errors: z
      .array(z.object({ pointer: z.string().describe('JSON pointer: /path/…, /query/…, /body/… or /header/…'), detail: z.string() }))
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

/** They follow conventions of probes and scrapers, not of this document. */
const OUTSIDE = 'Not part of this document, since machines that watch know their form: GET /health/live, /health/startup, /health/ready (503 names each red part with its reason) and GET /metrics (Prometheus).';

/** OpenAPI 3.1, made from the very schemas that requests are read with. Routes without a description are listed bare. */
export function openApiDocument(routes: readonly Route[], info: ApiInfo): Json {
  const components: Json = {};
  const schemas = new Components(components);
  schemas.output(PROBLEM);
  const paths: { [path: string]: Json } = {};
  for (const route of routes) {
    if (!route.path.startsWith('/api/') || ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].indexOf(route.method) < 0) continue;
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: { ...info, description: `${info.description} ${OUTSIDE}`.trim() },
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    paths,
    components: { schemas: components, securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Needed off the loopback interface.' } } },
  };
}

function operation(route: Route, schemas: Components): Json {
  const doc = answerDocOf(route.handler);
  const given = requestSchemas(route.prototype, route.name);
  const parameters = [
    ...schemas.parameters(given.path, 'path', route.path),
    ...schemas.parameters(given.query, 'query'),
    ...(takesCommandHeaders(route.prototype, route.name) ? schemas.parameters(commandHeaders, 'header') : []),
  ];
  return {
    operationId: `${route.controller.replace(/Controller$/, '')}.${route.name}`,
    tags: [route.controller.replace(/Controller$/, '')],
    ...(doc === undefined ? {} : { summary: doc.summary, ...(doc.description === undefined ? {} : { description: doc.description }) }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(given.body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: schemas.input(given.body) } } } }),
    responses: responses(doc, route.method, schemas),
  };
}

function responses(doc: AnswerDoc | undefined, method: string, schemas: Components): Json {
  const refusal = (description: string): Json => ({ description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } });
  const answers: Json = {};
  if (doc === undefined) answers['200'] = { description: 'The answer' };
  else {
    const content = { [doc.mediaType ?? 'application/json']: { schema: schemas.output(doc.schema) } };
    const versioned = method === 'GET' && doc.mediaType === undefined;
    const etag = { ETag: { description: 'Version of what is shown; send it back as If-None-Match.', schema: { type: 'string' } } };
    answers[String(doc.status ?? 200)] = { description: doc.summary, content, ...(versioned ? { headers: etag } : {}) };
    if (versioned) answers['304'] = { description: 'It is still the version that If-None-Match names' };
  }
  for (const [status, description] of Object.entries(doc?.refusals ?? {})) answers[status] = refusal(description);
  answers['default'] = refusal('A refusal that names the trouble and the way out');
  return answers;
}

/** Named schemas (`.meta({ id })`) stand once under components. */
class Components {
  readonly #components: Json;

  constructor(components: Json) {
    this.#components = components;
  }

  input(schema: z.ZodType): Json {
    return this.#hoist(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  }

  output(schema: z.ZodType): Json {
    return this.#hoist(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }));
  }

  parameters(schema: z.ZodType | undefined, where: 'path' | 'query' | 'header', path?: string): Json[] {
    const properties = schema === undefined ? {} : ((this.input(schema).properties ?? {}) as { [name: string]: Json });
    const required = new Set(schema === undefined ? [] : ((this.input(schema).required ?? []) as string[]));
    const bare = path === undefined ? [] : [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '').filter((name) => !Object.hasOwn(properties, name));
    const described = Object.entries(properties).map(([name, { description, ...rest }]) => ({
      name,
      in: where,
      required: where === 'path' || required.has(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    }));
    return [...described, ...bare.map((name) => ({ name, in: where, required: true, schema: { type: 'string' } }))];
  }

  #hoist({ $schema: _dialect, $defs, ...schema }: Json): Json {
    for (const [id, definition] of Object.entries(($defs ?? {}) as Json)) this.#components[id] = plain(definition);
    const { id, ...rest } = schema;
    if (typeof id !== 'string') return plain(rest) as Json;
    this.#components[id] = plain(rest);
    return { $ref: `#/components/schemas/${id}` };
  }
}

/** References into $defs point to components instead; `id` is zod's mark of a named schema, not a keyword of 2020-12. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Json = {};
  // A number in an address is read as text with a pattern; `type` says what it is.
  const integer = (value as Json).type === 'integer';
  for (const [key, child] of Object.entries(value)) {
    if ((key === 'id' && typeof child === 'string') || (key === 'pattern' && integer)) continue;
    copy[key] = key === '$ref' && typeof child === 'string' ? child.replace('#/$defs/', '#/components/schemas/') : plain(child);
  }
  return copy;
}
