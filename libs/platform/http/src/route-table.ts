import { Injectable, RequestMethod } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

const PATH = 'path';
const METHOD = 'method';

export interface Route {
  readonly method: string;
  /** With `:name` for parameters. */
  readonly path: string;
  readonly controller: string;
  readonly prototype: object;
  readonly name: string;
  readonly handler: object;
}

type Handler = (...args: never[]) => unknown;

/** Every route that a controller serves, as the decorators say it. */
@Injectable()
export class RouteTable {
  readonly #discovery: DiscoveryService;
  #routes: readonly Route[] | undefined;

  constructor(discovery: DiscoveryService) {
    this.#discovery = discovery;
  }

  all(): readonly Route[] {
    this.#routes ??= this.#discovery.getControllers().flatMap(({ metatype }) => (typeof metatype === 'function' ? routesOf(metatype as Handler) : []));
    return this.#routes;
  }

  /** Methods that are served at an address. */
  methodsAt(path: string): readonly string[] {
    const methods = new Set<string>();
    for (const route of this.all()) if (matches(route.path, path)) methods.add(route.method);
    return [...methods].sort();
  }
}

function routesOf(controller: Handler): Route[] {
  const prototype = controller.prototype as Record<string, unknown>;
  const routes: Route[] = [];
  for (const base of pathsOf(controller)) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const handler = prototype[name];
      if (typeof handler !== 'function' || Reflect.getMetadata(METHOD, handler) === undefined) continue;
      const method = RequestMethod[Reflect.getMetadata(METHOD, handler) as RequestMethod];
      for (const path of pathsOf(handler as Handler)) routes.push({ method, path: join(base, path), controller: controller.name, prototype, name, handler });
    }
  }
  return routes;
}

function pathsOf(target: Handler): readonly string[] {
  const paths = Reflect.getMetadata(PATH, target) as string | readonly string[] | undefined;
  return typeof paths === 'string' ? [paths] : (paths ?? ['']);
}

function join(...parts: readonly string[]): string {
  return `/${parts.flatMap((part) => part.split('/')).filter((part) => part !== '').join('/')}`;
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.replace(/(?<=.)\/$/, '').split('/');
  return wanted.length === given.length && wanted.every((part, at) => (part.startsWith(':') ? given[at] !== '' : part === given[at]));
}
