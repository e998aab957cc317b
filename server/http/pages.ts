import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import express, { type Response, type Router } from 'express'
import helmet from 'helmet'

/** Where the built client is: beside the built server, or, for a run from source, where the last build put it. */
const CLIENT = [
  join(import.meta.dirname, '../../client'),
  join(import.meta.dirname, '../../dist/client'),
].find((path) => existsSync(join(path, 'assets')))

/** The pages, with a Content-Security-Policy under which nothing but our own files runs. */
export function pages({ sandbox, basePath }: { sandbox: boolean; basePath: () => string }): Router {
  const router = express.Router()
  router.use((_request, response, next) => {
    response.locals.nonce = randomBytes(16).toString('base64')
    next()
  })
  router.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'", (_request, response) => `'nonce-${(response as Response).locals.nonce}'`],
          imgSrc: ["'self'", 'blob:', 'data:'],
          mediaSrc: ["'self'", 'blob:'],
          fontSrc: ["'self'"],
          connectSrc: ["'self'"],
          manifestSrc: ["'self'"],
          workerSrc: ["'self'"],
          baseUri: ["'self'"],
          formAction: ["'self'"],
          frameAncestors: ["'none'"],
        },
      },
      strictTransportSecurity: false,
      crossOriginEmbedderPolicy: false,
    }),
  )
  router.get('/docs', (_request, response) => page(response, DOCS, basePath()))
  router.get('/docs/start.js', (_request, response) => {
    response
      .type('js')
      .send(
        "SwaggerUIBundle({ url: document.baseURI + 'openapi.json', dom_id: '#docs', validatorUrl: null })",
      )
  })
  router.use(
    '/docs',
    express.static(dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json')), {
      index: false,
    }),
  )
  if (!CLIENT) {
    router.get('/', (_request, response) => {
      response.type('text').send('The pages are not built. Run: npm run build')
    })
    return router
  }
  router.use(
    '/assets',
    express.static(join(CLIENT, 'assets'), { immutable: true, maxAge: '1y', index: false }),
  )
  const html = (file: string) => readFileSync(join(CLIENT, file), 'utf8')
  if (sandbox)
    router.get('/sandbox', (_request, response) => page(response, html('sandbox.html'), basePath()))
  router.use(express.static(CLIENT, { index: false, extensions: [] }))
  // Every other address is a place inside the client, which finds its own way.
  router.get('/{*place}', (request, response, next) => {
    if (!request.accepts('html') || /^\/(api|sandbox|socket\.io)(\/|$)/.test(request.path)) next()
    else page(response, html('index.html'), basePath())
  })
  return router
}

function page(response: Response, html: string, basePath: string): void {
  const filled = html
    .replaceAll('__CSP_NONCE__', String(response.locals.nonce))
    .replace('<base href="/"', `<base href="${basePath}"`)
  response.set('Cache-Control', 'no-store').type('html').send(filled)
}

const DOCS = `<!doctype html><html lang="en"><head><meta charset="utf-8"><base href="/"><title>Nexus Inbox API</title>
<link rel="stylesheet" href="docs/swagger-ui.css"></head><body><div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body></html>`
