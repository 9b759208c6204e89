import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Inject, Param, StreamableFile } from '@nestjs/common';
import { Needs } from './access-guard.ts';
import { openApiDocument, type ApiInfo } from './openapi.ts';
import { RouteUnknown } from './request.errors.ts';
import { RouteTable } from './route-table.ts';

export const API_INFO = Symbol('api info');

const TYPES: { readonly [file: string]: string } = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const START = `window.ui = SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#page', deepLinking: true, validatorUrl: null, defaultModelsExpandDepth: 0 });`;

/** No script and no style from elsewhere, so it works with no outside host. */
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/** The document and its page. Both are open: they hold no data. */
@Needs('nothing')
@Controller('api')
export class DocumentationController {
  readonly #routes: RouteTable;
  readonly #info: ApiInfo;

  constructor(routes: RouteTable, @Inject(API_INFO) info: ApiInfo) {
    this.#routes = routes;
    this.#info = info;
  }

  @Get('openapi.json')
  document(): object {
    return openApiDocument(this.#routes.all(), this.#info);
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', POLICY)
  page(): string {
    const title = this.#info.title.replace(/[<>&"]/g, '');
    return [
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}: API</title>`,
      '<meta name="viewport" content="width=device-width, initial-scale=1">',
      '<link rel="icon" href="/api/docs/favicon-32x32.png"><link rel="stylesheet" href="/api/docs/swagger-ui.css"></head>',
      '<body><div id="page"></div><script src="/api/docs/swagger-ui-bundle.js"></script><script src="/api/docs/start.js"></script></body></html>',
    ].join('\n');
  }

  @Get('docs/start.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  start(): string {
    return START;
  }

  @Get('docs/:file')
  async asset(@Param('file') file: string): Promise<StreamableFile> {
    const type = Object.hasOwn(TYPES, file) ? TYPES[file] : undefined;
    if (type === undefined) throw new RouteUnknown('GET', `/api/docs/${file.slice(0, 100)}`);
    const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
    return new StreamableFile(await readFile(join(folder, file)), { type });
  }
}
