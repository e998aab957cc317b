import { serve } from '../../../../server/embedded/server.ts'

/*
 * A process to be killed: it serves a directory, and says on its output where. Started by durability.test.ts.
 */
const [directory = ''] = process.argv.slice(2)
const serving = await serve({ directory })
process.stdout.write(`${serving.uri}\n`)
