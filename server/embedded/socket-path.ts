import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Unix keeps a socket's path in about a hundred bytes. */
const MAX_PATH_BYTES = 100

/** The socket inside the data directory; where that path is too long, one in a private directory of its own. */
export async function privateSocketPath(directory: string): Promise<string> {
  const inside = join(resolve(directory), 'nexus.sock')
  if (Buffer.byteLength(inside) <= MAX_PATH_BYTES) return inside
  return join(await mkdtemp(join(tmpdir(), 'nexus-')), 'nexus.sock')
}
