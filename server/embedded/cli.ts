import { parseArgs } from 'node:util'
import { serve } from './server.ts'
import { runTool, type Tool } from './tools/run.ts'

const USAGE = `The embedded database by itself.

  npm run embedded -- [--dir PATH] [--port N]      serve PATH to MongoDB's drivers and tools on 127.0.0.1
  npm run embedded -- --check --dir PATH           compare everything in PATH; exits with 1 when something is wrong
  npm run embedded -- --dump OUT --dir PATH        write PATH to OUT as mongodump does; mongorestore reads it
  npm run embedded -- --restore IN --dir PATH      read IN, as mongodump or --dump wrote it, into PATH

PATH is DATA_DIR/db of an installation, and ./data/db when it is not named.`

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '27017' },
    dir: { type: 'string', default: './data/db' },
    check: { type: 'boolean' },
    dump: { type: 'string' },
    restore: { type: 'string' },
    help: { type: 'boolean' },
  },
})

const tools = [
  values.check ? { kind: 'check' } : undefined,
  values.dump === undefined ? undefined : { kind: 'dump', to: values.dump },
  values.restore === undefined ? undefined : { kind: 'restore', from: values.restore },
].filter((tool) => tool !== undefined) as Tool[]

if (values.help) process.stdout.write(`${USAGE}\n`)
else if (tools.length > 1) {
  process.stderr.write(`${USAGE}\n`)
  process.exitCode = 64
} else if (tools[0]) {
  process.exitCode = await runTool(tools[0], values.dir, (line) => process.stdout.write(`${line}\n`))
} else await serveUntilStopped()

async function serveUntilStopped(): Promise<void> {
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port ${values.port} is no port`)
  const write = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
  const serving = await serve({
    directory: values.dir,
    listen: { host: '127.0.0.1', port },
    log: write,
  }).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  write({ level: 'info', message: 'listening', uri: serving.uri, directory: values.dir })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void serving.close().then(() => process.exit(0))
    })
  }
}
