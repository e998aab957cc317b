import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi'
import type { z } from 'zod'
import { API } from '../providers.ts'
import type { Access, Endpoint } from './endpoint.ts'
import { VIEWS } from './views-schema.ts'

/** The OpenAPI 3.1 document, made from the very shapes that validate. */
export function openApi(endpoints: Endpoint[], operations: Endpoint[]): object {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
  })
  for (const [name, schema] of Object.entries(VIEWS))
    registry.registerComponent('schemas', name, schema as never)
  for (const each of endpoints) register(registry, each, API)
  for (const each of operations) register(registry, each, '')
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Nexus Inbox',
      version: '1',
      description: 'Every channel one stream of conversations. Errors are application/problem+json.',
    },
    servers: [{ url: '/' }],
  })
}

const WHO: Record<Access, string> = {
  public: 'Open to anyone.',
  system: 'For other systems, with an API key as bearer token.',
  agent: 'For the role agent and above.',
  supervisor: 'For the role supervisor and above.',
  admin: 'For the role admin.',
}

function register(
  registry: OpenAPIRegistry,
  { method, path, summary, access, shapes, answers }: Endpoint,
  prefix: string,
): void {
  const content = (schema?: string) =>
    schema
      ? {
          content: {
            [schema === 'Problem' ? 'application/problem+json' : 'application/json']: {
              schema: { $ref: `#/components/schemas/${schema}` },
            },
          },
        }
      : {}
  registry.registerPath({
    method,
    path: prefix + path.replace(/:(\w+)/g, '{$1}'),
    summary,
    description: WHO[access],
    ...(access === 'public' ? {} : { security: [{ bearer: [] }] }),
    request: {
      ...(shapes.params ? { params: shapes.params as z.ZodObject } : {}),
      ...(shapes.query ? { query: shapes.query as z.ZodObject } : {}),
      ...(shapes.body
        ? { body: { required: true, content: { 'application/json': { schema: shapes.body } } } }
        : {}),
    },
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description, schema }]) => [
          status,
          { description, ...content(schema) },
        ]),
      ),
      default: { description: 'An error of the catalogue', ...content('Problem') },
    },
  })
}
