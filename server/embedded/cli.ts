import { parseArgs } from 'node:util'
import { serve } from './server.ts'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '27017' }, dir: { type: 'string', default: './data/db' } },
})
const port = Number(values.port)
if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port ${values.port} is no port`)

const write = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
const serving = await serve({ directory: values.dir, listen: { host: '127.0.0.1', port }, log: write })
write({ level: 'info', message: 'listening', uri: serving.uri, directory: values.dir })

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void serving.close().then(() => process.exit(0))
  })
}
